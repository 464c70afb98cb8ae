import { type Document, isScalar, LineCounter, parseDocument, type ScalarTag, stringify, type Tags, visit } from "yaml";

/**
 * The YAML of Kubernetes: 1.1 in its booleans and integers (`y`, `on`, `010`, `1_000`), but neither base-60 numbers nor
 * dates, and with the octal `0o17` of 1.2 besides. Aliases are expanded up to a limit.
 */
export interface YamlDocument {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
}

const dropped: ReadonlySet<string | undefined> = new Set(["TIME"]);

const octal: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  test: /^[-+]?0o[0-7]+$/,
  resolve: (text) => {
    const value = Number.parseInt(text.replace(/^[-+]?0o/, ""), 8);
    return text.startsWith("-") ? -value : value;
  },
};

function kubernetesTags(tags: Tags): Tags {
  const kept = tags.filter((tag) => {
    if (typeof tag === "string") return tag !== "timestamp" && tag !== "intTime" && tag !== "floatTime";
    return tag.tag !== "tag:yaml.org,2002:timestamp" && !dropped.has(tag.format);
  });
  return [octal, ...kept];
}

/** One document; its errors are in `document.errors`, with positions in the text. Never throws. */
export function parseYamlDocument(text: string, { uniqueKeys = true } = {}): YamlDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: "1.1",
    merge: true,
    uniqueKeys,
    customTags: kubernetesTags,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: "silent",
  });
  return { document, lines };
}

/** A text that is no YAML; the message names the line. */
export class YamlSyntaxError extends Error {
  override readonly name = "YamlSyntaxError";
}

/** The value of the first document of a text. Throws `YamlSyntaxError`, also for a key that a map has twice. */
export function parseYaml(text: string): unknown {
  const { value, duplicates } = parseYamlBody(text);
  if (duplicates[0] !== undefined) throw new YamlSyntaxError(`yaml: ${duplicates[0]}`);
  return value;
}

export interface YamlBody {
  readonly value: unknown;
  /** `line 3: key "a" already set in map`, in the words of upstream's parser; the last one counts. */
  readonly duplicates: readonly string[];
}

/** The first document of a request's body. Throws `YamlSyntaxError`. */
export function parseYamlBody(text: string): YamlBody {
  const [first = { text: "", linesBefore: 0 }] = splitDocuments(text);
  // The library compares each key with all before it, which a large body must not be able to ask for.
  const { document, lines } = parseYamlDocument(first.text, { uniqueKeys: false });
  const lineOf = (offset: number) => first.linesBefore + lines.linePos(offset).line;
  const [error] = document.errors;
  if (error !== undefined) throw new YamlSyntaxError(`yaml: line ${lineOf(error.pos[0])}: ${error.message}`);
  return { value: valueOf(document), duplicates: findDuplicateKeys(document, lineOf) };
}

function findDuplicateKeys(document: Document.Parsed, lineOf: (offset: number) => number): string[] {
  const found: string[] = [];
  visit(document, {
    Map(_, { items }) {
      const keys = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key) || key.tag === "tag:yaml.org,2002:merge") continue;
        if (keys.has(key.value)) {
          found.push(`line ${lineOf(key.range?.[0] ?? 0)}: key ${JSON.stringify(key.value)} already set in map`);
        }
        keys.add(key.value);
      }
    },
  });
  return found;
}

export function renderYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** The plain value of a document without errors. Throws `YamlSyntaxError` where aliases multiply beyond the limit. */
export function valueOf(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (error) {
    throw new YamlSyntaxError(`yaml: ${(error as Error).message}`);
  }
}

export interface DocumentText {
  readonly text: string;
  /** How many lines stand before it. */
  readonly linesBefore: number;
}

/**
 * The documents of a stream, cut where a line begins with `---`, as kubectl cuts them: so an error in one, such as a
 * quote that is never closed, cannot reach into the next. Documents without content are left out.
 */
export function splitDocuments(text: string): DocumentText[] {
  const documents: DocumentText[] = [];
  let current: string[] = [];
  let start = 0;
  const flush = () => {
    if (current.some((line) => /^\s*[^\s#]/.test(line) && !/^(%|\.\.\.\s*$)/.test(line))) {
      documents.push({ text: current.join("\n"), linesBefore: start });
    }
  };
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    const separator = /^---(?=\s|$)/.exec(line);
    if (separator === null) current.push(line);
    else {
      flush();
      // What follows the dashes belongs to the new document, at its place in the line.
      current = [`   ${line.slice(3)}`.replace(/^\s*(?=#|$).*/, "")];
      start = index;
    }
  }
  flush();
  return documents;
}
