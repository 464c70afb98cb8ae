import type { KubeObject, ObjectKey } from "./meta/object.ts";
import type { KindName } from "./types.ts";

/**
 * A step between defaulting and validation that may complete an object or refuse it (allocate a cluster IP, fill the
 * default IngressClass). Steps run in the order the composition lists them.
 */
export interface Admission {
  readonly name: string;
  readonly kinds: readonly KindName[];
  /** May change `request.object` in place; throws `ApiError` to refuse. Whatever it reserved is settled afterwards. */
  admit(request: AdmissionRequest): void | Promise<void>;
  /**
   * Called when the object has been found valid and is about to be written, never in a dry run: what is written together
   * with it. Called again for each further try. May change the object, or throw `ApiError` to refuse.
   */
  accompany?(request: AdmissionRequest): readonly Companion[];
  /**
   * The name or the claim of a companion is another's: nothing has been written. Throws `ApiError` to refuse, or changes
   * the object, so that `accompany` answers otherwise. Whoever creates or claims must have this.
   */
  contested?(request: AdmissionRequest, companion: Companion): void;
  /**
   * Called once for each admitted request when its outcome is known: keep or give back what `admit` reserved. The
   * answer waits for it; it must not throw.
   */
  settle?(request: AdmissionRequest, committed: boolean): void | Promise<void>;
}

/** What changes together with a request's object, under one revision: all of it, or nothing. No webhook is asked. */
export type Companion =
  /** A new object in stored form. */
  | { readonly kind: KindName; readonly create: Omit<KubeObject, "apiVersion" | "kind"> }
  /** Removes an object, where it is there and `when` holds of it. */
  | { readonly kind: KindName; readonly remove: ObjectKey; readonly when: (object: KubeObject) => boolean }
  /** A name that one object at a time may hold, as `servicenodeports/30001`. The request's object holds it from now on. */
  | { readonly claim: string }
  /** Gives a claim back, where the request's object is the one that holds it. */
  | { readonly release: string };

export interface AdmissionRequest {
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  readonly kind: KindName;
  /** In the stored form. For DELETE, the object that goes. */
  readonly object: KubeObject;
  /** For UPDATE. */
  readonly before?: KubeObject;
  readonly dryRun: boolean;
  readonly user: UserInfo;
  readonly subresource?: string;
  /** Adds a `Warning:` header to the answer. */
  warn(text: string): void;
}

export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  /** Further facts of whoever signed the user in. */
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}
