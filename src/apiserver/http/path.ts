import { ApiError } from "#api/meta/status.ts";

/** What a path under `/api` or `/apis` names. */
export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  /** The old form `/api/v1/watch/…`. */
  readonly watch: boolean;
}

/** Subresources of the namespaces themselves; any other third word is a collection inside one. */
const namespaceSubresources = new Set(["status", "finalize"]);

/** `undefined` for paths that end at or before the version. Throws `BadRequest` for bad percent-encoding. */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const raw = path.slice(1, path.endsWith("/") ? -1 : undefined).split("/");
  const words = path.includes("%") ? raw.map((word) => decodeWord(word)) : raw;
  const isCore = words[0] === "api";
  if (!isCore && words[0] !== "apis") return undefined;
  const [group = "", version = ""] = isCore ? ["", words[1]] : [words[1], words[2]];
  let rest = words.slice(isCore ? 2 : 3);
  const watch = rest[0] === "watch";
  if (watch) rest = rest.slice(1);
  if (rest.length === 0 || rest.includes("") || rest.length > 5) return undefined;
  const base = { group, version, watch };
  const [first = "", second, third] = rest;
  const inNamespace = first === "namespaces" && isCoreOrNamespaced(rest);
  if (inNamespace) return { ...base, ...tail(rest.slice(2)), ...(second === undefined ? {} : { namespace: second }) };
  if (rest.length > 3) return undefined;
  return { ...base, plural: first, ...named(second, third) };
}

function isCoreOrNamespaced(rest: readonly string[]): boolean {
  const [, , third] = rest;
  return third !== undefined && !(rest.length === 3 && namespaceSubresources.has(third));
}

function tail([plural = "", name, subresource]: readonly string[]): Pick<
  ResourcePath,
  "plural" | "name" | "subresource"
> {
  return { plural, ...named(name, subresource) };
}

function named(name: string | undefined, subresource: string | undefined): { name?: string; subresource?: string } {
  return { ...(name === undefined ? {} : { name }), ...(subresource === undefined ? {} : { subresource }) };
}

function decodeWord(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    throw new ApiError("BadRequest", `the path holds an invalid percent-encoding: ${JSON.stringify(word)}`);
  }
}
