import type { ObjectKey } from "#api/meta/object.ts";
import type { ApiError } from "#api/meta/status.ts";
import type { KindName, KindTypes } from "#api/types.ts";

/**
 * How every engine sees the API, whether the API server is in this process (`local`) or reached by kubeconfig
 * (`remote`). Objects that come out are shared and must not be changed; to write, build a new value. They come without
 * `metadata.managedFields`. All calls reject with `ApiError` and nothing else. `test/conformance/client/` runs one suite over every implementation.
 */
export interface Client {
  /** The object, or `undefined` when there is none. */
  get<K extends KindName>(kind: K, key: ObjectKey): Promise<KindTypes[K] | undefined>;
  /** A consistent list; items in key order (namespace, then name). */
  list<K extends KindName>(kind: K, scope?: Scope): Promise<List<KindTypes[K]>>;
  /**
   * Events after `since`, in revision order; the returned function ends the watch and no event follows it. The sink's
   * `end` is called once when the watch ends from the other side: `expired` means the revision is too old and the
   * caller must list again, `closed` that it may resume from the last revision it saw.
   */
  watch<K extends KindName>(kind: K, scope: Scope & { since: string }, sink: WatchSink<KindTypes[K]>): () => void;
  /** Rejects with `AlreadyExists` when there is one. `metadata.generateName` is honoured. */
  create<K extends KindName>(kind: K, object: New<KindTypes[K]>, options?: WriteOptions): Promise<KindTypes[K]>;
  /** Replaces all but status. With `metadata.resourceVersion` set, rejects with `Conflict` when it is stale. */
  update<K extends KindName>(kind: K, object: KindTypes[K], options?: WriteOptions): Promise<KindTypes[K]>;
  /** Replaces status only. */
  updateStatus<K extends KindName>(kind: K, object: KindTypes[K], options?: WriteOptions): Promise<KindTypes[K]>;
  /**
   * JSON merge patch (RFC 7386) of the object or of a subresource. `finalize` is the one way to change a Namespace's
   * `spec.finalizers`; when none are left of one that is being deleted, it goes.
   */
  patch<K extends KindName>(
    kind: K,
    key: ObjectKey,
    patch: MergePatch,
    options?: WriteOptions & { subresource?: "status" | "scale" | "finalize" },
  ): Promise<KindTypes[K]>;
  /** Rejects with `NotFound` when there is none and `Conflict` when a precondition fails. */
  delete(kind: KindName, key: ObjectKey, options?: DeleteOptions): Promise<void>;
}

/** Which objects of a kind: all, or those of a namespace, or those that selectors choose. */
export interface Scope {
  namespace?: string;
  /** Text form, e.g. `app=web,tier!=db`. */
  labelSelector?: string;
  /** Text form, e.g. `spec.nodeName=node-1`. */
  fieldSelector?: string;
}

export interface List<T> {
  readonly items: readonly T[];
  /** Hand this to `watch` as `since`. */
  readonly resourceVersion: string;
}

export type WatchEvent<T> = { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T };

export interface WatchSink<T> {
  event(event: WatchEvent<T>): void;
  /** The revision has been reached although no object of this watch changed; lets a resume start later. */
  bookmark?(resourceVersion: string): void;
  end(reason: WatchEnd): void;
}

export type WatchEnd =
  | { readonly reason: "expired" }
  | { readonly reason: "closed" }
  | { readonly reason: "failed"; readonly error: ApiError };

/** An object to create: `apiVersion` and `kind` may be left to the client. */
export type New<T> = T extends { apiVersion: unknown; kind: unknown }
  ? Omit<T, "apiVersion" | "kind" | "metadata"> & {
      apiVersion?: string;
      kind?: string;
      metadata: Omit<T extends { metadata: infer M } ? M : never, "name"> & { name?: string };
    }
  : never;

export interface WriteOptions {
  /** Recorded in `managedFields`; the client's own name by default. */
  fieldManager?: string;
}

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: "Background" | "Foreground" | "Orphan";
  preconditions?: { uid?: string; resourceVersion?: string };
}

export type MergePatch = { readonly [field: string]: unknown };
