import type { FieldError } from "./meta/field-error.ts";
import type { KubeObject } from "./meta/object.ts";
import type { Resource } from "./resources.ts";

/**
 * All that the API server knows about a kind. Discovery, routing, OpenAPI, printing, defaulting and validation are
 * derived from the list of these in `kinds.ts`; there is no second place to write a kind down.
 */
export interface KindDefinition<T extends KubeObject = KubeObject> {
  readonly resource: Resource;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** Served versions; the first is the stored one, which all functions below work on. */
  readonly versions: readonly ServedVersion[];
  readonly subresources: readonly Subresource[];
  /** Besides `metadata.name` and `metadata.namespace`: `?fieldSelector=` path -> the object's value as text. */
  readonly selectableFields: Readonly<Record<string, (object: T) => string>>;
  /** `metadata.generation` is kept: 1 at create, one more with each change of anything but metadata and status. */
  readonly hasGeneration: boolean;
  /** A PUT to a name that does not exist creates it. */
  readonly createOnUpdate: boolean;
  /** A PUT without `resourceVersion` overwrites; otherwise it is refused. */
  readonly unconditionalUpdate: boolean;
  /** DELETE answers the object instead of a Status. */
  readonly deleteReturnsObject: boolean;
  /** Seconds of grace a DELETE leaves, when the object is one that stops gracefully. */
  gracePeriodSeconds?(object: T): number | undefined;
  /** Fills defaults in place; runs on each decode, before admission. */
  applyDefaults(object: T): void;
  /** Fills in place what only a new object gets (status of a Pod, finalizers of a Namespace), and drops what a client may not set. */
  prepareCreate?(object: T): void;
  /** Carries over in place what an update may leave out or may not touch (a Service's cluster IP, …). */
  prepareUpdate?(next: T, before: T): void;
  /** Carries over in place everything but status; metadata is handled by the caller. The default keeps all but `status`. */
  prepareStatusUpdate?(next: T, before: T): void;
  validate(object: T): FieldError[];
  /** Rules for new objects alone, which older ones may break; `validate` runs as well. */
  validateCreate?(object: T): FieldError[];
  /** Rules about the change alone; `validate` runs as well. */
  validateUpdate(next: T, before: T): FieldError[];
  /** Texts for `Warning:` headers. */
  warnings?(object: T, before: T | undefined): string[];
  readonly columns: readonly Column<T>[];
}

export interface ServedVersion {
  readonly group: string;
  readonly version: string;
  /** The message of `schema/` that describes this version's form, e.g. `core.v1.Service`. */
  readonly schema: string;
  /** Text of the `Warning:` header on each request of a deprecated version. */
  readonly warning?: string;
  /** Replaces the kind's short names, so that clients never find one in two groups. */
  readonly shortNames?: readonly string[];
  /** Absent where this is the stored form. Both build a new value. */
  readonly toStored?: (served: KubeObject) => KubeObject;
  readonly fromStored?: (stored: KubeObject) => KubeObject;
  /** Says an error about the stored form in the fields of this version. */
  readonly translateError?: (error: FieldError) => FieldError;
}

export type Subresource =
  | "status"
  | "scale"
  | "log"
  | "exec"
  | "attach"
  | "portforward"
  | "binding"
  | "eviction"
  | "finalize"
  | "token";

/** One column of `kubectl get`. Cells are computed when served, since ages move. */
export interface Column<T> {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  /** `name` on the first column only. */
  readonly format?: string;
  /** 0 always, 1 with `-o wide`. */
  readonly priority: 0 | 1;
  readonly description: string;
  /** `now` in milliseconds. */
  cell(object: T, now: number): string | number;
}

/** A definition as an entry of the list of kinds, where its own type no longer shows. */
export function defineKind<T extends KubeObject>(definition: KindDefinition<T>): KindDefinition {
  return definition as unknown as KindDefinition;
}
