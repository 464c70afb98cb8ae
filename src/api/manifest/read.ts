import { isMap, isNode, isSeq, type LineCounter, type Node } from "yaml";
import type { KubeObject } from "../meta/object.ts";
import { checkShape, type ShapeError } from "../schema/decode-json.ts";
import { locate } from "./locate.ts";
import { findKind } from "./kind-of.ts";
import { nearest } from "./nearest.ts";
import { parseYamlDocument, splitDocuments, valueOf, YamlSyntaxError } from "./yaml.ts";

export interface ManifestObject {
  readonly object: KubeObject;
  /** Where it begins, from 1. */
  readonly line: number;
}

/** One thing wrong with a manifest; `message` says all of it: file, line, column, what is wrong, and the line itself. */
export interface ManifestProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface ManifestResult {
  readonly objects: readonly ManifestObject[];
  readonly problems: readonly ManifestProblem[];
}

/**
 * Reads the objects of a manifest: YAML documents or JSON, lists opened up. An object with a problem is left out and
 * each of its problems is told; the others are not affected. Pure: `fileName` is for the messages only.
 */
export function readManifest(text: string, fileName: string): ManifestResult {
  const objects: ManifestObject[] = [];
  const problems: ManifestProblem[] = [];
  const isJson = /^\s*[{[]/.test(text);
  // YAML forbids the tabs that JSON may be indented with; within strings JSON has none.
  const source = isJson ? text.replaceAll("\t", " ") : text;
  const lines = source.split(/\r?\n/);
  for (const document of splitDocuments(source)) {
    const { document: yaml, lines: counter } = parseYamlDocument(document.text);
    const tell: Tell = (offset, what) => {
      problems.push(problemAt(fileName, lines, placeOf(counter, document.linesBefore, offset), what));
    };
    for (const error of yaml.errors) tell(error.pos[0], error.message);
    if (yaml.errors.length > 0 || yaml.contents === null) continue;
    try {
      const found = readObject(valueOf(yaml), yaml.contents, tell);
      for (const { object, offset } of found) {
        objects.push({ object, line: placeOf(counter, document.linesBefore, offset).line });
      }
    } catch (error) {
      if (!(error instanceof YamlSyntaxError)) throw error;
      tell(0, error.message);
    }
  }
  return { objects, problems };
}

type Tell = (offset: number, what: string) => void;

interface Found {
  readonly object: KubeObject;
  readonly offset: number;
}

interface Place {
  readonly line: number;
  readonly column: number;
}

function placeOf(counter: LineCounter, linesBefore: number, offset: number): Place {
  const { line, col } = counter.linePos(offset);
  return { line: linesBefore + Math.max(line, 1), column: Math.max(col, 1) };
}

function problemAt(file: string, lines: readonly string[], { line, column }: Place, what: string): ManifestProblem {
  const shown = (lines[line - 1] ?? "").slice(0, 200);
  const margin = String(line);
  const pointer = `${" ".repeat(margin.length)} | ${" ".repeat(Math.min(column - 1, 200))}^`;
  const message = `${file}:${line}:${column}: ${what}\n${margin} | ${shown}\n${pointer}`;
  return { file, line, column, message };
}

function readObject(value: unknown, node: Node, tell: Tell): Found[] {
  const start = node.range?.[0] ?? 0;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    tell(start, "a manifest must be an object with apiVersion and kind");
    return [];
  }
  const fields = value as Record<string, unknown>;
  const kind = fields["kind"];
  if (typeof kind === "string" && kind.endsWith("List") && Array.isArray(fields["items"])) {
    return readItems(fields["items"], node, tell, itemDefaults(kind, fields["apiVersion"]));
  }
  const found = findKind(fields["apiVersion"], kind);
  if (typeof found === "string") {
    tell(start, found);
    return [];
  }
  const { schema, title } = found;
  const report = checkShape(schema, value);
  for (const path of report.unknown) {
    const { offset, parent, field } = locate(node, path, schema);
    const known = parent === undefined ? undefined : nearest(field, parent.byName.keys());
    tell(offset, `unknown field ${path} in ${title}${known === undefined ? "" : `; did you mean ${known}?`}`);
  }
  for (const error of report.errors) tell(locate(node, error.path, schema).offset, typeProblem(error, title));
  if (report.unknown.length + report.errors.length > 0) return [];
  const object = report.value as Partial<KubeObject>;
  if (!object.metadata?.name && !object.metadata?.generateName) {
    tell(start, `the ${title} has no metadata.name`);
    return [];
  }
  return [{ object: object as KubeObject, offset: start }];
}

/** Items of `ServiceList` need not say what they are. */
function itemDefaults(kind: string, apiVersion: unknown): Record<string, unknown> {
  return kind === "List" ? {} : { apiVersion, kind: kind.slice(0, -"List".length) };
}

function readItems(items: readonly unknown[], node: Node, tell: Tell, defaults: Record<string, unknown>): Found[] {
  const list: unknown = isMap(node) ? node.get("items", true) : undefined;
  return items.flatMap((item, index) => {
    const child: unknown = isSeq(list) ? list.items[index] : undefined;
    const completed =
      typeof item === "object" && item !== null && !Array.isArray(item) ? { ...defaults, ...item } : item;
    return readObject(completed, isNode(child) ? child : node, tell);
  });
}

const sorts: readonly (readonly [RegExp, string])[] = [
  [/^u?int\d/, "a whole number"],
  [/^bool$/, "true or false"],
  [/^\[\]uint8$/, "base64 text"],
  [/^\[\]/, "a list"],
  [/^map\[/, "an object"],
  [/^(string|types\.UID)$/, "text"],
];

function typeProblem({ path, message, wants, got }: ShapeError, title: string): string {
  if (wants === undefined || got === undefined) return `${path} of ${title}: ${message}`;
  const sort = sorts.find(([pattern]) => pattern.test(wants))?.[1] ?? (got === "string" ? "an object" : "text");
  if (sort === "a whole number" && got === "number") return `${path} of ${title} must be ${sort} that fits ${wants}`;
  const quotes = sort === "text" && (got === "number" || got === "bool") ? "; put it in quotes" : "";
  return `${path} of ${title} must be ${sort}, not ${/^[aeiou]/.test(got) ? "an" : "a"} ${got}${quotes}`;
}
