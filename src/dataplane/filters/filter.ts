import type { Answer } from "../page.ts";

/** What a filter sees and may change of a request. Strings of the request hold one character a byte. */
export interface FilteredRequest {
  /** Whether the client came over TLS, or a trusted proxy says so. */
  readonly secure: boolean;
  /** Without port. */
  readonly host: string;
  /** Path and query as they came. */
  readonly target: string;
  /** The normalised path as text. */
  readonly path: string;
  readonly query: string;
  /** The groups of a regex route. */
  readonly groups: readonly (string | undefined)[] | undefined;
  /** Path and query for the endpoint, when it is not `target`. */
  rewritten: string | undefined;
}

/** One step before a request goes to its backend. An answer ends it. */
export type RequestFilter = (request: FilteredRequest) => Answer | undefined;

/** Fields to set (a value) or remove (`undefined`), by lower-case name; `name` as it is to be written. */
export type FieldEdits = ReadonlyMap<string, { readonly name: string; readonly value: string | undefined }>;
