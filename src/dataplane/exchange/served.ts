import { findField, type HeadTable } from "#wire/http1/head.ts";
import { parseRequestHead } from "#wire/http1/request.ts";
import type { Served } from "../log/served.ts";
import type { Endpoint } from "../pool/endpoint.ts";
import type { ClientRequest } from "./request.ts";
import type { Decision } from "./route-request.ts";

/** What an exchange knows when it is over, beside its request. */
export interface Outcome {
  readonly at: number;
  readonly seconds: number;
  readonly status: number;
  readonly bytesSent: number;
  readonly bodyBytes: number;
  readonly tried: readonly Endpoint[];
  readonly upstreamStatus: number;
  readonly upstreamSeconds: number;
}

/** Reads out of the request what the access log tells of it. `head` is overwritten. */
export function describeServed(request: ClientRequest, decision: Decision, outcome: Outcome, head: HeadTable): Served {
  const { bytes, headStart, headEnd } = request;
  parseRequestHead(bytes, headStart, headEnd, head);
  const field = (name: string) => findField(bytes, head, name) ?? "";
  return {
    at: outcome.at,
    client: request.forwarding.client,
    user: userOf(field("authorization")),
    method: request.method,
    target: request.target,
    protocol: `HTTP/1.${request.minor}`,
    host: request.host,
    status: outcome.status,
    bytesSent: outcome.bytesSent,
    requestBytes: headEnd - headStart + outcome.bodyBytes,
    referer: field("referer"),
    userAgent: field("user-agent"),
    seconds: outcome.seconds,
    backend: decision.backend?.entry.id ?? "",
    route: decision.route?.entry.id ?? "",
    endpoints: outcome.tried.map(({ name }) => name),
    upstreamStatus: outcome.upstreamStatus,
    upstreamSeconds: outcome.upstreamSeconds,
    requestId: request.requestId ?? field("x-request-id"),
  };
}

/** The name of basic authentication; never the password. */
function userOf(authorization: string): string {
  const text = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1];
  return text === undefined ? "" : (Buffer.from(text, "base64").toString("latin1").split(":")[0] ?? "");
}
