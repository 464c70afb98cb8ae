import type { KubeObject } from "./meta/object.ts";
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
   * Called when the object has been found valid and is about to be written, never in a dry run: makes lasting what
   * `admit` reserved. May throw `ApiError` to refuse.
   */
  secure?(request: AdmissionRequest): Promise<void>;
  /**
   * Called once for each admitted request when its outcome is known: keep or give back what `admit` reserved. The
   * answer waits for it; it must not throw.
   */
  settle?(request: AdmissionRequest, committed: boolean): void | Promise<void>;
}

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
