import type { ServiceAccount } from "#api/core/serviceaccount/kind.ts";
import type { KubeObject } from "#api/meta/object.ts";

/** What a token of a ServiceAccount says (upstream: `pkg/serviceaccount/claims.go`). Times in seconds. */
export interface Claims {
  readonly aud: readonly string[];
  /** Absent where the token lasts as long as the Secret that holds it. */
  readonly exp?: number;
  readonly iat: number;
  readonly iss: string;
  readonly jti: string;
  readonly nbf: number;
  readonly sub: string;
  readonly "kubernetes.io": {
    readonly namespace: string;
    readonly serviceaccount: NameAndUid;
    readonly pod?: NameAndUid;
    readonly secret?: NameAndUid;
    readonly node?: NameAndUid;
  };
}

export interface NameAndUid {
  readonly name: string;
  readonly uid: string;
}

/** The objects a token stands and falls with. */
export interface Bound {
  readonly account: ServiceAccount;
  readonly pod?: KubeObject;
  readonly secret?: KubeObject;
  readonly node?: KubeObject;
}

export function nameAndUid({ metadata }: KubeObject): NameAndUid {
  return { name: metadata.name, uid: metadata.uid ?? "" };
}
