import { checkHost, requestFraming } from "#wire/http1/framing.ts";
import { problemOf } from "#wire/http1/problem.ts";
import { parseRequestHead } from "#wire/http1/request.ts";
import { locatePath } from "#wire/http1/target.ts";
import type { ServeContext } from "../context.ts";
import type { ClientRequest } from "../exchange/request.ts";
import { requestForwarding, type Forwarding } from "../forwarded.ts";
import { renderPage, type Answer } from "../page.ts";
import type { Connection } from "../transport/connection.ts";

/**
 * What the last request of a connection said. Most say the same again: then it is the same text, which costs no call to
 * make, and is found at once where it is looked up.
 */
export class LastSaid {
  host = "";
  target = "";
}

/** A head that was parsed and found good, and what follows it. */
export interface ParsedHead {
  readonly bytes: Buffer;
  readonly headEnd: number;
  /** As `requestFraming` says it. */
  readonly framing: number;
}

/** nginx has no status 431; it says this. */
export const largeHead: Answer = {
  status: 400,
  body: renderPage(400, "400 Request Header Or Cookie Too Large"),
};

/**
 * Parses the request at the start of `bytes` into `context.requestHead` and holds it against the rules. `headEnd` is 0
 * when the head is not whole; `framing` is negative when it breaks a rule, as `answerTo` takes it.
 */
export function parseRequest({ requestHead: head }: ServeContext, bytes: Buffer): ParsedHead {
  const headEnd = parseRequestHead(bytes, 0, bytes.length, head);
  if (headEnd <= 0) return { bytes, headEnd, framing: headEnd };
  const framing = requestFraming(bytes, head);
  const refused = Math.min(framing, 0) || checkHost(bytes, head) || locatePath(bytes, head);
  return { bytes, headEnd, framing: refused < 0 ? refused : framing };
}

/** What to answer to a head that breaks a rule. */
export function answerTo(refused: number): Answer {
  const { status, word } = problemOf(refused);
  return word === "head-too-large" ? largeHead : { status };
}

/** What to answer to a request whose head is good and that is served to nobody. */
export function refusalOf({ requestHead: head }: ServeContext, request: ClientRequest): Answer | undefined {
  if (request.method === "CONNECT" || request.method === "TRACE") return { status: 405 };
  // HTTP/1.0 knows no expectations (RFC 9110 section 10.1.1).
  return head.expectField >= 0 && head.minor === 1 && !request.expectsContinue ? { status: 417 } : undefined;
}

/** Reads out of the head in `context.requestHead` what decides about the request. */
export function readRequest(
  { requestHead: head, trusts }: ServeContext,
  connection: Connection,
  forwarding: Forwarding,
  { bytes, headEnd, framing }: ParsedHead,
  { major, last }: { readonly major: ClientRequest["major"]; readonly last: LastSaid },
): ClientRequest {
  const text = (start: number, end: number) => bytes.toString("latin1", start, end);
  const value = (field: number) => (field < 0 ? "" : text(head.valueStart(field), head.valueEnd(field)));
  const method = methodOf(bytes, head.methodStart, head.methodEnd);
  const modern = head.minor === 1;
  if (head.hostField >= 0) {
    last.host = textAgain(bytes, head.valueStart(head.hostField), head.valueEnd(head.hostField), last.host);
  } else last.host = head.authorityStart < 0 ? "" : text(head.authorityStart, head.authorityEnd);
  last.target = textAgain(bytes, head.pathStart, head.targetEnd, last.target);
  return {
    bytes,
    headStart: 0,
    headEnd,
    method,
    toHead: method === "HEAD",
    major,
    minor: head.minor,
    framing,
    host: last.host,
    target: last.target || "/",
    // h2c would be a second protocol behind the rules' back.
    upgrade:
      modern && head.upgrade && framing === 0 && head.upgradeField >= 0 && !/\bh2c\b/i.test(value(head.upgradeField)),
    expectsContinue: modern && head.expectField >= 0 && value(head.expectField).toLowerCase() === "100-continue",
    encrypted: connection.tls,
    peer: connection.peer,
    // Stands here so that all requests have one shape, whether or not they get an id.
    requestId: undefined,
    forwarding: forwarding.trusted ? requestForwarding(connection, trusts, bytes, head) : forwarding,
  };
}

/** The bytes as text: `before` when they say the same. */
function textAgain(bytes: Buffer, start: number, end: number, before: string): string {
  const { length } = before;
  let at = end - start === length ? 0 : -1;
  while (at >= 0 && at < length) at = bytes[start + at] === before.charCodeAt(at) ? at + 1 : -1;
  return at === length ? before : bytes.toString("latin1", start, end);
}

/** Most requests are GET, and need no new string to say so. */
function methodOf(bytes: Buffer, start: number, end: number): string {
  const isGet = end - start === 3 && bytes[start] === 71 && bytes[start + 1] === 69 && bytes[start + 2] === 84;
  return isGet ? "GET" : bytes.toString("latin1", start, end);
}
