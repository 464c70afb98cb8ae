import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import type { UserInfo } from "#api/admission.ts";
import type { Secret } from "#api/core/secret/kind.ts";
import type { KubeObject, ObjectKey } from "#api/meta/object.ts";
import type { KindName } from "#api/types.ts";
import type { Clock } from "#base/clock.ts";
import { accountGroups, accountUser } from "../account-user.ts";
import { nameAndUid, type Bound, type Claims, type NameAndUid } from "./claims.ts";
import type { TokenKey } from "./key.ts";

/** Gives out and reads the tokens of ServiceAccounts. */
export interface AccountTokens {
  readonly issuer: string;
  /** For whom tokens are that this API server takes. */
  readonly audiences: readonly string[];
  readonly publicKey: TokenKey["publicKey"];
  /**
   * A new token that lasts so many seconds from `now` (milliseconds); `undefined`: as long as the Secret that it is
   * bound to holds it.
   */
  issue(bound: Bound, audiences: readonly string[], seconds: number | undefined, now: number): string;
  /**
   * The user of a token, and for which of `audiences` it is; `undefined` when it is forged, past its time, for others
   * only, or when an object it is bound to is gone.
   */
  read(token: string, audiences: readonly string[]): { user: UserInfo; audiences: readonly string[] } | undefined;
}

export interface AccountTokensOptions {
  readonly key: TokenKey;
  readonly issuer: string;
  readonly clock: Clock;
  /** An object as it stands now. */
  readonly find: (kind: KindName, key: ObjectKey) => KubeObject | undefined;
}

/** Signatures that have been verified once; programs send the same token with each request. */
const remembered = 4096;
/** How long the tokens of an object still count that is being deleted: it may need them to end well. */
const goingMs = 60_000;
const prefix = "authentication.kubernetes.io";

export function createAccountTokens({ key, issuer, clock, find }: AccountTokensOptions): AccountTokens {
  const verified = new Map<string, { claims: Claims; user: UserInfo }>();
  const audiences = [issuer];

  function open(token: string): { claims: Claims; user: UserInfo } | undefined {
    const digest = createHash("sha256").update(token).digest("base64");
    const known = verified.get(digest);
    if (known !== undefined) return known;
    const claims = key.open(token) as Claims | undefined;
    if (claims === undefined) return undefined;
    const opened = { claims, user: userOf(claims) };
    verified.set(digest, opened);
    const [oldest] = verified.keys();
    if (verified.size > remembered && oldest !== undefined) verified.delete(oldest);
    return opened;
  }

  function stands(kind: KindName, namespace: string | undefined, { name, uid }: NameAndUid): boolean {
    const object = find(kind, { name, ...(namespace === undefined ? {} : { namespace }) });
    if (object === undefined || object.metadata.uid !== uid) return false;
    const { deletionTimestamp } = object.metadata;
    return deletionTimestamp === undefined || clock.now() < Date.parse(deletionTimestamp) + goingMs;
  }

  function isBoundWell({ "kubernetes.io": { namespace, serviceaccount, pod, secret, node } }: Claims): boolean {
    if (!stands("ServiceAccount", namespace, serviceaccount)) return false;
    if (pod !== undefined && !stands("Pod", namespace, pod)) return false;
    if (secret !== undefined && !stands("Secret", namespace, secret)) return false;
    // The node of a pod is told, and only a token bound to the node itself falls with it.
    return pod !== undefined || node === undefined || stands("Node", undefined, node);
  }

  /** Whether the Secret of a token without an end still holds it. */
  function isHeld({ "kubernetes.io": { namespace, secret } }: Claims, token: string): boolean {
    const held = secret && (find("Secret", { namespace, name: secret.name }) as Secret | undefined)?.data?.["token"];
    if (held === undefined) return false;
    const [a, b] = [Buffer.from(held, "base64"), Buffer.from(token)];
    return a.length === b.length && timingSafeEqual(a, b);
  }

  return {
    issuer,
    audiences,
    publicKey: key.publicKey,
    issue({ account, ...others }, wished, seconds, now) {
      const { namespace = "", name } = account.metadata;
      const start = Math.floor(now / 1000);
      const bound = Object.entries(others).map(([kind, object]) => [kind, nameAndUid(object)] as const);
      const claims: Claims = {
        aud: wished,
        ...(seconds === undefined ? {} : { exp: start + seconds }),
        iat: start,
        iss: issuer,
        jti: randomUUID(),
        nbf: start,
        sub: accountUser(namespace, name),
        "kubernetes.io": { namespace, serviceaccount: nameAndUid(account), ...Object.fromEntries(bound) },
      };
      return key.sign(claims);
    },
    read(token, asked) {
      const opened = open(token);
      if (opened === undefined) return undefined;
      const { claims, user } = opened;
      const seconds = clock.now() / 1000;
      if (claims.iss !== issuer || seconds < claims.nbf) return undefined;
      if (claims.exp === undefined ? !isHeld(claims, token) : seconds >= claims.exp) return undefined;
      const common = asked.filter((audience) => claims.aud.includes(audience));
      if (common.length === 0 || !isBoundWell(claims)) return undefined;
      return { user, audiences: common };
    },
  };
}

function userOf({ sub, jti, "kubernetes.io": { namespace, serviceaccount, pod, node } }: Claims): UserInfo {
  const extra: Record<string, readonly string[]> = { [`${prefix}/credential-id`]: [`JTI=${jti}`] };
  for (const [kind, object] of Object.entries({ node, pod })) {
    if (object === undefined) continue;
    extra[`${prefix}/${kind}-name`] = [object.name];
    extra[`${prefix}/${kind}-uid`] = [object.uid];
  }
  return { name: sub, uid: serviceaccount.uid, groups: accountGroups(namespace), extra };
}
