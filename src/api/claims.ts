import type { KubeObject, ObjectKey } from "./meta/object.ts";

/** A name such as `servicenodeports/30001`, and the one object that holds it. */
export interface Claim {
  readonly name: string;
  readonly owner: ObjectKey & { readonly kind: string; readonly uid: string };
  /** Of the store, when it was made. */
  readonly revision: number;
}

/**
 * What objects have claimed by their admissions (see `Companion`), for whoever looks after it. Of all servers of one store
 * one at a time gets a name. Both changes reject with `ApiError` when the store cannot be written.
 */
export interface Claims {
  /** Those whose name starts with `prefix`, in order. */
  list(prefix: string): readonly Claim[];
  /** False when another has the name. */
  claim(name: string, owner: KubeObject): Promise<boolean>;
  /** False when it has changed hands since. */
  release(claim: Claim): Promise<boolean>;
}
