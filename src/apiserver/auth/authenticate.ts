import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import type { UserInfo } from "#api/admission.ts";
import { ApiError } from "#api/meta/status.ts";
import type { StaticToken } from "./static-tokens.ts";
import type { AccountTokens } from "./tokens/accounts.ts";

/** The group of all who have signed in, and of all who have not. */
export const everybody = "system:authenticated";
export const nobody = "system:unauthenticated";

export const anonymous: UserInfo = { name: "system:anonymous", groups: [nobody] };

export interface Authenticate {
  /**
   * Who asks: the client certificate, else the bearer token, else anonymous, where that is allowed. Proof that fails is
   * never taken for anonymous: throws `Unauthorized`.
   */
  request(request: IncomingMessage): UserInfo;
  /** Whose token this is, and for which of these audiences; `undefined` when it is none that counts. */
  token(text: string, audiences: readonly string[]): TokenUser | undefined;
}

export interface TokenUser {
  readonly user: UserInfo;
  readonly audiences: readonly string[];
}

/** What probes ask for, who have nothing to show (upstream: `anonymous.conditions` of an AuthenticationConfiguration). */
const openPaths = /^\/(healthz|livez|readyz)(\/|\?|$)/;

export function createAuthenticate(
  tokens: readonly StaticToken[],
  accounts: AccountTokens,
  anonymousAuth = false,
): Authenticate {
  const digests = tokens.map(({ token, user }) => ({ digest: digestOf(token), user: authenticated(user) }));
  const ofSocket = new WeakMap<object, UserInfo>();
  // A token of a ServiceAccount signs in many requests: its user is completed once.
  const completed = new WeakMap<UserInfo, UserInfo>();

  function byToken(text: string, audiences: readonly string[]): TokenUser | undefined {
    if (digests.length > 0) {
      const asked = digestOf(text);
      let found: UserInfo | undefined;
      // All are compared, so that the time says nothing about which one is near.
      for (const { digest, user } of digests) if (timingSafeEqual(digest, asked)) found = user;
      const common = audiences.filter((audience) => accounts.audiences.includes(audience));
      if (found !== undefined) return common.length === 0 ? undefined : { user: found, audiences: common };
    }
    const read = accounts.read(text, audiences);
    if (read === undefined) return undefined;
    const user = completed.get(read.user) ?? authenticated(read.user);
    completed.set(read.user, user);
    return { user, audiences: read.audiences };
  }

  return {
    token: byToken,
    request(request) {
      const { socket } = request;
      const known = ofSocket.get(socket);
      if (known !== undefined) return known;
      if (socket instanceof TLSSocket) {
        const user = byCertificate(socket);
        if (user !== undefined) {
          ofSocket.set(socket, user);
          return user;
        }
      }
      const header = request.headers.authorization;
      if (header === undefined) {
        if (!anonymousAuth && !openPaths.test(request.url ?? "")) throw new ApiError("Unauthorized", "Unauthorized");
        return anonymous;
      }
      const match = /^bearer +(\S+)$/i.exec(header.trim());
      const found = match === null ? undefined : byToken(match[1] ?? "", accounts.audiences);
      if (found === undefined) throw new ApiError("Unauthorized", "Unauthorized");
      return found.user;
    },
  };
}

function byCertificate(socket: TLSSocket): UserInfo | undefined {
  const certificate = socket.getPeerCertificate();
  // Node answers an empty object when the client sent none.
  if (certificate === undefined || Object.keys(certificate).length === 0) return undefined;
  if (!socket.authorized) throw new ApiError("Unauthorized", "Unauthorized");
  const subject = certificate.subject as { CN?: string | string[]; O?: string | string[] };
  const name = [subject.CN ?? []].flat()[0];
  if (name === undefined || name === "") throw new ApiError("Unauthorized", "Unauthorized");
  const fingerprint = certificate.fingerprint256.replaceAll(":", "").toLowerCase();
  const extra = { "authentication.kubernetes.io/credential-id": [`X509SHA256=${fingerprint}`] };
  return authenticated({ name, groups: [subject.O ?? []].flat(), extra });
}

function authenticated(user: UserInfo): UserInfo {
  return { ...user, groups: [...user.groups.filter((group) => group !== everybody), everybody] };
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
