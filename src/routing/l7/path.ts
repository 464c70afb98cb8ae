import type { PathMatch } from "#dataplane/table.ts";
import type { Claim } from "./claim.ts";
import { canBacktrackForever } from "./regex-risk.ts";

/** Longer rule paths are refused; no real one comes near. */
export const maxPathLength = 1024;

/** One way a claim can match; a regular-expression host needs two for some claims. */
export interface PathForm {
  /** Told apart in the route's id. */
  readonly mark: string;
  readonly match: PathMatch;
  /** What precedence goes by. */
  readonly key: string;
}

/** Whether two claims on one host want the same place: only Exact is a kind of its own. */
export function placeOf({ path, pathType }: Pick<Claim, "path" | "pathType">): string {
  return `${pathType === "Exact" ? "=" : ""}${path}`;
}

/**
 * How a claim matches where paths are plain: as an nginx location. A path that ends in a slash is compared by
 * characters whatever its type, since the slash already ends the element; for `/` both are the same.
 */
export function plainForms({ path, pathType }: Claim, implementationSpecific: "characters" | "prefix"): PathForm[] {
  if (pathType === "Exact") return [{ mark: "", key: path, match: { type: "exact", path } }];
  const characters = pathType === "ImplementationSpecific" && implementationSpecific === "characters";
  const type = path !== "/" && (path.endsWith("/") || characters) ? "characters" : "prefix";
  return [{ mark: "", key: path, match: { type, path } }];
}

/**
 * How a claim matches where any path of the host is a regular expression: then all are, case-insensitive, anchored at
 * the start only, Exact included. A Prefix path without a rewrite of its own keeps its two forms, `/a/` and `/a`.
 */
export function regexForms({ path, pathType }: Claim, ownRegex: boolean): PathForm[] {
  const forms: PathForm[] = [{ mark: "", key: path, match: { type: "regex", source: path } }];
  if (ownRegex || pathType === "Exact" || path.endsWith("/")) return forms;
  return [{ mark: "#slash", key: `${path}/`, match: { type: "regex", source: `${path}/` } }, ...forms];
}

/** Order of precedence where paths are plain: exact ones, then the longest, then by text. */
export function comparePlain(a: PathForm, b: PathForm): number {
  const [left, right] = [Number(a.match.type !== "exact"), Number(b.match.type !== "exact")];
  return left - right || b.key.length - a.key.length || (a.key < b.key ? -1 : Number(a.key > b.key));
}

/** Order of precedence in a regular-expression host: the longest text, then the greatest; the first match wins. */
export function compareRegex(a: PathForm, b: PathForm): number {
  return b.key.length - a.key.length || (a.key > b.key ? -1 : Number(a.key < b.key));
}

/** One sentence with what is wrong with this expression, or `undefined`. */
export function regexProblem(source: string): string | undefined {
  if (source.length > maxPathLength) return `it is longer than ${maxPathLength} characters`;
  try {
    void new RegExp(`^(?:${source})`, "i");
    return canBacktrackForever(source) ? "a repetition inside a repetition could take a worker forever" : undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
