import { isMap, isNode, isScalar, isSeq, type LineCounter } from "yaml";
import { nearest } from "#api/manifest/nearest.ts";
import type { ConfigProblem } from "./problem.ts";

/** A value of a YAML document, with its place for messages. */
export interface Place {
  readonly node: unknown;
  /** `forward[0].policy` */
  readonly path: string;
  readonly offset: number;
  readonly tell: (offset: number, text: string) => void;
}

/** Takes a value if it is what is wanted; otherwise tells what is wrong and answers `undefined`. */
export type Reader<T> = (place: Place) => T | undefined;

type Shape<T> = { readonly [K in keyof T]-?: Reader<NonNullable<T[K]>> };

/** A place that tells into `problems`, where the document begins. */
export function rootPlace(node: unknown, lines: LineCounter, file: string, problems: ConfigProblem[]): Place {
  const tell = (offset: number, text: string) =>
    problems.push({ file, line: Math.max(1, lines.linePos(offset).line), text, severity: "error" });
  return { node, path: "", offset: 0, tell };
}

/** A mapping with these keys and no others; of those, `required` must be there. A key without a value is left out. */
export function mapping<T extends object>(shape: Shape<T>, required: readonly (keyof T & string)[] = []): Reader<T> {
  return ({ node, path, offset, tell }) => {
    if (!isMap(node)) return wrong({ node, path, offset, tell }, "a mapping");
    const found: Partial<Record<keyof T, unknown>> = {};
    const seen = new Set<string>();
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : "";
      const at = isNode(key) ? (key.range?.[0] ?? offset) : offset;
      seen.add(name);
      if (!Object.hasOwn(shape, name)) {
        tell(at, unknownKey(join(path, name), name, Object.keys(shape)));
        continue;
      }
      if (value === null || (isScalar(value) && value.value === null)) {
        tell(at, `${join(path, name)} has no value`);
        continue;
      }
      const place = {
        node: value,
        path: join(path, name),
        offset: isNode(value) ? (value.range?.[0] ?? at) : at,
        tell,
      };
      const read = shape[name as keyof T](place);
      if (read !== undefined) found[name as keyof T] = read;
    }
    for (const name of required) if (!seen.has(name)) tell(offset, `${join(path, name)} is missing`);
    // What is required and wrong has been told, and a file with errors is not used.
    return required.every((name) => found[name] !== undefined) ? (found as T) : undefined;
  };
}

export function list<T>(item: Reader<T>): Reader<T[]> {
  return ({ node, path, offset, tell }) => {
    if (!isSeq(node)) return wrong({ node, path, offset, tell }, "a list");
    return node.items.flatMap((value, index) => {
      const at = isNode(value) ? (value.range?.[0] ?? offset) : offset;
      const read = item({ node: value, path: `${path}[${index}]`, offset: at, tell });
      return read === undefined ? [] : [read];
    });
  };
}

export function integer(least: number, most: number): Reader<number> {
  return (place) => {
    const { node, path, offset, tell } = place;
    const value = isScalar(node) ? node.value : undefined;
    if (typeof value !== "number" || !Number.isInteger(value)) return wrong(place, "a whole number");
    if (value >= least && value <= most) return value;
    tell(offset, `${path} must be between ${least} and ${most}, not ${value}`);
    return undefined;
  };
}

export const boolean: Reader<boolean> = (place) => {
  const value = isScalar(place.node) ? place.node.value : undefined;
  return typeof value === "boolean" ? value : wrong(place, "true or false");
};

/** A text that `parse` takes; `wanted` says in words what that is. */
export function text<T>(parse: (text: string) => T | undefined, wanted: string): Reader<T> {
  return (place) => {
    const value = isScalar(place.node) ? place.node.value : undefined;
    const read = typeof value === "string" ? parse(value) : undefined;
    return read ?? wrong(place, wanted);
  };
}

export function oneOf<T extends string>(...words: readonly T[]): Reader<T> {
  return (place) => {
    const value = isScalar(place.node) ? place.node.value : undefined;
    const word = words.find((word) => word === value);
    if (word !== undefined) return word;
    const near = typeof value === "string" ? nearest(value, words) : undefined;
    const hint = near === undefined ? "" : `; did you mean ${near}?`;
    place.tell(place.offset, `${place.path} must be one of ${words.join(", ")}, not ${shown(place.node)}${hint}`);
    return undefined;
  };
}

function wrong({ node, path, offset, tell }: Place, wanted: string): undefined {
  tell(offset, `${path === "" ? "the file" : path} must be ${wanted}, not ${shown(node)}`);
}

function shown(node: unknown): string {
  if (isMap(node)) return "a mapping";
  if (isSeq(node)) return "a list";
  return isScalar(node) ? JSON.stringify(node.value).slice(0, 100) : "an alias";
}

function unknownKey(path: string, name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return `${path} is not a key${near === undefined ? "" : `; did you mean ${near}?`}`;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
