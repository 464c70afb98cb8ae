import { equalsIgnoreCase } from "#wire/http1/bytes.ts";
import type { HeadTable } from "#wire/http1/head.ts";
import { parseRequestHead } from "#wire/http1/request.ts";
import type { Served } from "../log/served.ts";
import type { Endpoint } from "../pool/endpoint.ts";
import type { ClientRequest } from "./request.ts";
import type { Decision } from "./route-request.ts";

/** What an exchange knows when it is over, beside its request. */
export interface Outcome {
  readonly at: number;
  readonly ms: number;
  readonly status: number;
  readonly bytesSent: number;
  readonly bodyBytes: number;
  readonly tried: readonly Endpoint[];
  readonly upstreamStatus: number;
  readonly upstreamMs: number;
}

/** Reads out of the request what the access log tells of it. `head` is overwritten. */
export function describeServed(request: ClientRequest, decision: Decision, outcome: Outcome, head: HeadTable): Served {
  const { bytes, headStart, headEnd } = request;
  parseRequestHead(bytes, headStart, headEnd, head);
  const authorization = valueOf(bytes, head, names.authorization);
  const requestId = request.requestId ?? valueOf(bytes, head, names.requestId);
  return {
    at: outcome.at,
    client: request.forwarding.client,
    user: authorization === "" ? "" : userOf(authorization),
    method: request.method,
    target: request.target,
    protocol: request.major === 2 ? "HTTP/2.0" : `HTTP/1.${request.minor}`,
    host: request.host,
    status: outcome.status,
    bytesSent: outcome.bytesSent,
    requestBytes: headEnd - headStart + outcome.bodyBytes,
    referer: valueOf(bytes, head, names.referer),
    userAgent: valueOf(bytes, head, names.userAgent),
    ms: outcome.ms,
    backend: decision.backend?.entry.id ?? "",
    route: decision.route?.entry.id ?? "",
    endpoints: outcome.tried.map(({ name }) => name),
    upstreamStatus: outcome.upstreamStatus,
    upstreamMs: outcome.upstreamMs,
    requestId,
  };
}

const names = {
  authorization: Buffer.from("authorization"),
  referer: Buffer.from("referer"),
  userAgent: Buffer.from("user-agent"),
  requestId: Buffer.from("x-request-id"),
};

/** The first value of a field, compared by bytes: names are not made into text for every request. */
function valueOf(bytes: Buffer, head: HeadTable, name: Buffer): string {
  for (let field = 0; field < head.count; field += 1) {
    const start = head.nameStart(field);
    if (head.nameEnd(field) - start !== name.length || !equalsIgnoreCase(bytes, start, name)) continue;
    return bytes.toString("latin1", head.valueStart(field), head.valueEnd(field));
  }
  return "";
}

/** The name of basic authentication; never the password. */
function userOf(authorization: string): string {
  const text = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1];
  return text === undefined ? "" : (Buffer.from(text, "base64").toString("latin1").split(":")[0] ?? "");
}
