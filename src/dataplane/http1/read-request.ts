import type { ServeContext } from "../context.ts";
import type { ClientRequest } from "../exchange/request.ts";
import { requestForwarding, type Forwarding } from "../forwarded.ts";
import type { Connection } from "../transport/connection.ts";

/** A head that was parsed and found good, and what follows it. */
export interface ParsedHead {
  readonly bytes: Buffer;
  readonly headEnd: number;
  /** As `requestFraming` says it. */
  readonly framing: number;
}

/** Reads out of the head in `context.requestHead` what decides about the request. */
export function readRequest(
  { requestHead: head, trusts }: ServeContext,
  connection: Connection,
  forwarding: Forwarding,
  { bytes, headEnd, framing }: ParsedHead,
): ClientRequest {
  const text = (start: number, end: number) => bytes.toString("latin1", start, end);
  const value = (field: number) => (field < 0 ? "" : text(head.valueStart(field), head.valueEnd(field)));
  const method = methodOf(bytes, head.methodStart, head.methodEnd);
  const authority = head.authorityStart < 0 ? "" : text(head.authorityStart, head.authorityEnd);
  const modern = head.minor === 1;
  return {
    bytes,
    headStart: 0,
    headEnd,
    method,
    toHead: method === "HEAD",
    minor: head.minor,
    framing,
    host: head.hostField >= 0 ? value(head.hostField) : authority,
    target: text(head.pathStart, head.targetEnd) || "/",
    // h2c would be a second protocol behind the rules' back.
    upgrade:
      modern && head.upgrade && framing === 0 && head.upgradeField >= 0 && !/\bh2c\b/i.test(value(head.upgradeField)),
    expectsContinue: modern && head.expectField >= 0 && value(head.expectField).toLowerCase() === "100-continue",
    encrypted: connection.tls,
    // Stands here so that all requests have one shape, whether or not they get an id.
    requestId: undefined,
    forwarding: forwarding.trusted ? requestForwarding(connection, trusts, bytes, head) : forwarding,
  };
}

/** Most requests are GET, and need no new string to say so. */
function methodOf(bytes: Buffer, start: number, end: number): string {
  const isGet = end - start === 3 && bytes[start] === 71 && bytes[start + 1] === 69 && bytes[start + 2] === 84;
  return isGet ? "GET" : bytes.toString("latin1", start, end);
}
