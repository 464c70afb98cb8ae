import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import type { UserInfo } from "#api/admission.ts";
import { ApiError } from "#api/meta/status.ts";

/** A bearer token that stands for a user, from a file the owner keeps. */
export interface StaticToken {
  readonly token: string;
  readonly user: UserInfo;
}

export const anonymous: UserInfo = { name: "system:anonymous", groups: ["system:unauthenticated"] };

export type Authenticate = (request: IncomingMessage) => UserInfo;

/**
 * Who asks: the client certificate, else the bearer token, else anonymous. Proof that fails is never taken for anonymous:
 * throws `Unauthorized`.
 */
export function createAuthenticate(tokens: readonly StaticToken[]): Authenticate {
  const digests = tokens.map(({ token, user }) => ({ digest: digestOf(token), user }));
  const ofSocket = new WeakMap<object, UserInfo>();

  function byToken(text: string): UserInfo {
    const asked = digestOf(text);
    let found: UserInfo | undefined;
    // All are compared, so that the time says nothing about which one is near.
    for (const { digest, user } of digests) if (timingSafeEqual(digest, asked)) found = user;
    if (found === undefined) throw new ApiError("Unauthorized", "Unauthorized");
    return authenticated(found);
  }

  return (request) => {
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
    if (header === undefined) return anonymous;
    const match = /^bearer +(\S+)$/i.exec(header.trim());
    if (match === null) throw new ApiError("Unauthorized", "Unauthorized");
    return byToken(match[1] ?? "");
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
  return authenticated({ name, groups: [subject.O ?? []].flat() });
}

function authenticated(user: UserInfo): UserInfo {
  return { name: user.name, groups: [...user.groups.filter((group) => group !== everybody), everybody] };
}

const everybody = "system:authenticated";

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/**
 * The lines of a token file: `token,user,uid[,"group1,group2"]`, as upstream's `--token-auth-file` has them. Throws an
 * `Error` that names the line.
 */
export function parseTokenFile(text: string): StaticToken[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "" || line.startsWith("#")) return [];
    const match = /^([^,"\s]+),([^,"]+),[^,"]*(?:,(?:"([^"]*)"|([^,"]*)))?\s*$/.exec(line);
    if (match === null) throw new Error(`line ${index + 1} is not token,user,uid[,"group1,group2"]`);
    const [, token = "", name = "", quoted, bare] = match;
    const groups = (quoted ?? bare ?? "").split(",").map((group) => group.trim());
    return [{ token, user: { name: name.trim(), groups: groups.filter((group) => group !== "") } }];
  });
}
