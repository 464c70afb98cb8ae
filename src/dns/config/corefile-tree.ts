import type { ConfigProblem } from "#api/config/problem.ts";

/** One line of a Corefile with its words, and the lines between the braces that follow it, if any. */
export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  /** From 1. */
  readonly line: number;
  readonly block?: readonly Directive[];
}

/** A server block: where it answers, for which zones, by which plugins. */
export interface ServerBlock {
  /** `.:53`, `cluster.local`, `dns://example.org:1053`, as written. */
  readonly keys: readonly string[];
  readonly line: number;
  readonly plugins: readonly Directive[];
}

export interface CorefileTree {
  readonly blocks: readonly ServerBlock[];
  readonly problems: readonly ConfigProblem[];
}

interface Word {
  readonly text: string;
  readonly line: number;
  readonly isQuoted: boolean;
}

const longestText = 1 << 20;
const deepestImport = 8;
const largestBlock = 10_000;

/**
 * The blocks of a Corefile (the Caddyfile's syntax: words on lines, comments from `#`, quotes, braces). Snippets, blocks
 * called `(name)`, are put in where `import name` stands. Pure: other files are not imported, which is told.
 */
export function parseCorefile(text: string, file: string): CorefileTree {
  const problems: ConfigProblem[] = [];
  const tell = (line: number, text: string) => void problems.push({ file, line, text, severity: "error" });
  if (text.length > longestText) {
    tell(1, `the file is longer than ${longestText} characters`);
    return { blocks: [], problems };
  }
  const lines = linesOf(text, tell);
  const snippets = new Map<string, readonly Directive[]>();
  const blocks: ServerBlock[] = [];
  let at = 0;

  /** The directives up to the brace that closes the block opened on `opened`. */
  function body(opened: number): Directive[] {
    const found: Directive[] = [];
    for (; at < lines.length; at += 1) {
      const words = lines[at] ?? [];
      const [first, ...rest] = words;
      if (first === undefined) continue;
      if (isBrace(first, "}")) {
        if (rest.length > 0) tell(first.line, "a line of its own is needed for what follows }");
        return found;
      }
      const last = words.at(-1);
      const opens = last !== undefined && isBrace(last, "{");
      const args = (opens ? rest.slice(0, -1) : rest).map((word) => word.text);
      if (isBrace(first, "{")) {
        tell(first.line, "{ stands alone: it belongs to the end of the line before");
        at += 1;
        body(first.line);
        continue;
      }
      for (const word of rest.slice(0, opens ? -1 : undefined)) {
        if (isBrace(word, "{") || isBrace(word, "}")) tell(word.line, `${word.text} must be the last word of its line`);
      }
      if (!opens) found.push({ name: first.text, args, line: first.line });
      else {
        at += 1;
        found.push({ name: first.text, args, line: first.line, block: body(first.line) });
      }
    }
    tell(opened, "the { of this line is never closed");
    return found;
  }

  let keys: Word[] = [];
  for (; at < lines.length; at += 1) {
    const words = lines[at] ?? [];
    const [first] = words;
    if (first === undefined) continue;
    if (isBrace(first, "}")) {
      tell(first.line, "} closes nothing");
      continue;
    }
    if (first.text === "import" && keys.length === 0) {
      tell(first.line, importText(words[1]?.text ?? ""));
      continue;
    }
    const opens = words.findIndex((word) => isBrace(word, "{"));
    keys.push(...(opens === -1 ? words : words.slice(0, opens)));
    // Keys go on in the next line after a comma.
    if (opens === -1 && first.text !== "" && words.at(-1)?.text.endsWith(",")) continue;
    const line = keys[0]?.line ?? first.line;
    const names = keys.flatMap(({ text }) => text.split(",")).filter((name) => name !== "");
    keys = [];
    if (opens === -1) {
      tell(line, `{ is missing after ${names.join(" ")}`);
      continue;
    }
    if (opens < words.length - 1) tell(first.line, "{ must be the last word of its line");
    if (names.length === 0) tell(line, "a server block needs a zone, e.g. .:53");
    at += 1;
    const plugins = body(line);
    const snippet = names.length === 1 ? /^\((.+)\)$/.exec(names[0] ?? "")?.[1] : undefined;
    if (snippet !== undefined) snippets.set(snippet, plugins);
    else blocks.push({ keys: names, line, plugins });
  }
  if (keys[0] !== undefined) tell(keys[0].line, "{ is missing");

  let budget = largestBlock;
  function withImports(directives: readonly Directive[], depth: number): Directive[] {
    return directives.flatMap((directive) => {
      budget -= 1;
      if (directive.name !== "import") return budget < 0 ? [] : [directive];
      const snippet = snippets.get(directive.args[0] ?? "");
      if (snippet === undefined || depth === deepestImport || budget < 0) {
        const why = snippet === undefined ? importText(directive.args[0] ?? "") : "imports lead too deep";
        tell(directive.line, why);
        return [];
      }
      return withImports(snippet, depth + 1);
    });
  }

  const imported = blocks.map((block) => ({ ...block, plugins: withImports(block.plugins, 0) }));
  problems.sort((a, b) => a.line - b.line);
  return { blocks: imported, problems };
}

function importText(name: string): string {
  return `import ${name}: there is no snippet (${name}), and other files are not imported: put their text here`;
}

function isBrace({ text, isQuoted }: Word, brace: string): boolean {
  return text === brace && !isQuoted;
}

/** The words of each line. A quoted word may hold spaces and line breaks; it belongs to the line it begins on. */
function linesOf(text: string, tell: (line: number, text: string) => void): Word[][] {
  const lines: Word[][] = [[]];
  let line = 1;
  const pattern = /\n|[^\S\n]+|#[^\n]*|"((?:[^"\\]|\\[^])*)("?)|[^\s"][^\s]*/gy;
  for (const match of text.matchAll(pattern)) {
    const [whole, quoted, end] = match;
    if (whole === "\n") {
      line += 1;
      lines.push([]);
    } else if (quoted !== undefined) {
      if (end === "") tell(line, 'a " is never closed');
      lines.at(-1)?.push({ text: quoted.replaceAll('\\"', '"'), line, isQuoted: true });
      line += whole.split("\n").length - 1;
    } else if (/^[^\s#]/.test(whole)) {
      if (/\{[$%]/.test(whole)) tell(line, `${whole}: variables of the environment are not put in: write the value`);
      lines.at(-1)?.push({ text: whole, line, isQuoted: false });
    }
  }
  return lines;
}
