import { randomUUID } from "node:crypto";
import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { createGzip, gzip } from "node:zlib";
import { ApiError, type Status } from "#api/meta/status.ts";
import type { Exchange } from "./exchange.ts";

/** Smaller answers are sent as they are, as upstream does. */
const gzipFrom = 128 * 1024;

/** Shorter answers fit into the buffers on the way: they are gone once they are written. */
const stallsFrom = 64 * 1024;

export type Headers = Readonly<Record<string, string>>;

/** Sends bytes that are JSON already. Indented for people: `?pretty=true`, curl and browsers. */
export function sendJson(exchange: Exchange, code: number, body: Buffer | string, headers: Headers = {}): void {
  let bytes = typeof body === "string" ? Buffer.from(body) : body;
  if (isPretty(exchange)) bytes = Buffer.from(`${JSON.stringify(JSON.parse(bytes.toString()), null, 2)}\n`);
  sendBytes(exchange, code, bytes, { "Content-Type": "application/json", ...headers });
}

export function sendValue(exchange: Exchange, code: number, value: unknown, headers: Headers = {}): void {
  sendJson(exchange, code, JSON.stringify(value), headers);
}

export function sendText(exchange: Exchange, code: number, text: string): void {
  sendBytes(exchange, code, Buffer.from(text), { "Content-Type": "text/plain; charset=utf-8" });
}

/** So much of a long answer is put together at once; less would be more calls, more would leave the processor's cache. */
const stretchBytes = 256 * 1024;

/**
 * Sends JSON that is the pieces one after the other. A long answer is put together, and packed, as its client takes it: it
 * never stands in memory as a whole, unless a person wants it indented.
 */
export async function sendJsonPieces(exchange: Exchange, pieces: readonly Uint8Array[]): Promise<void> {
  const { response, parts } = exchange;
  let length = 0;
  for (const piece of pieces) length += piece.length;
  if (length <= stretchBytes || isPretty(exchange)) {
    sendJson(exchange, 200, Buffer.concat(pieces, length));
    return;
  }
  if (response.headersSent || response.destroyed) return;
  response.setTimeout(parts.stalledMs, () => response.destroy());
  const headers = { ...commonHeaders(exchange), "Content-Type": "application/json" };
  if (acceptsGzip(exchange)) {
    response.writeHead(200, { ...headers, "Content-Encoding": "gzip", Vary: "Accept-Encoding" });
    await pipeline(stretchesOf(pieces), createGzip({ level: 1, chunkSize: 64 * 1024 }), response);
    return;
  }
  response.writeHead(200, { ...headers, "Content-Length": length });
  for (const stretch of stretchesOf(pieces)) {
    if (response.destroyed) return;
    if (!response.write(stretch)) await drained(response);
  }
  response.end();
}

function* stretchesOf(pieces: readonly Uint8Array[]): Generator<Buffer> {
  let stretch = Buffer.allocUnsafe(stretchBytes);
  let at = 0;
  for (const piece of pieces) {
    if (at + piece.length > stretch.length) {
      if (at > 0) yield stretch.subarray(0, at);
      stretch = Buffer.allocUnsafe(Math.max(stretchBytes, piece.length));
      at = 0;
    }
    stretch.set(piece, at);
    at += piece.length;
  }
  if (at > 0) yield stretch.subarray(0, at);
}

/** Resolves when there is room again, or nobody left to write to. */
function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });
}

function acceptsGzip({ request }: Exchange): boolean {
  return /\bgzip\b/.test(request.headers["accept-encoding"]?.toString() ?? "");
}

export function sendBytes(exchange: Exchange, code: number, bytes: Buffer, headers: Headers): void {
  const { response, parts } = exchange;
  if (bytes.length > stallsFrom) response.setTimeout(parts.stalledMs, () => response.destroy());
  if (response.headersSent || response.destroyed) return;
  // In one object: set one by one, each is looked at twice.
  const all: OutgoingHttpHeaders = Object.assign(commonHeaders(exchange), headers);
  if (bytes.length < gzipFrom || !acceptsGzip(exchange)) {
    all["Content-Length"] = bytes.length;
    response.writeHead(code, all).end(bytes);
    return;
  }
  all["Vary"] = [headers["Vary"], "Accept-Encoding"].filter(Boolean).join(", ");
  gzip(bytes, { level: 1 }, (error, packed) => {
    if (error === null) all["Content-Encoding"] = "gzip";
    const sent = error === null ? packed : bytes;
    all["Content-Length"] = sent.length;
    response.writeHead(code, all).end(sent);
  });
}

/** What every answer says beside its own. */
export function commonHeaders({ warnings }: Exchange): OutgoingHttpHeaders {
  const common = { "Audit-Id": randomUUID(), "Cache-Control": "no-cache, private" };
  return warnings.size === 0 ? common : { ...common, Warning: [...warnings].map((text) => warningHeader(text)) };
}

/** `299 - "text"` of RFC 7234, with what a header cannot hold left out. */
function warningHeader(text: string): string {
  const quoted = text
    .replaceAll(/\s+/g, " ")
    .replace(/[^\x20-\x7e]/g, "?")
    .replace(/["\\]/g, "\\$&");
  return `299 - "${quoted.slice(0, 2000)}"`;
}

/** Sends the Status of an error; anything but an `ApiError` is a fault of ours and is logged. */
export function sendError(exchange: Exchange, error: unknown): void {
  const known = error instanceof ApiError ? error : undefined;
  if (known === undefined) {
    const { method, path } = exchange;
    exchange.parts.log.error({ method, path, error: (error as Error)?.stack ?? String(error) }, "a request failed");
  }
  const answer = known ?? new ApiError("InternalError", "an internal error occurred; the server's log has the details");
  const seconds = answer.details?.retryAfterSeconds;
  sendStatus(exchange, answer.toStatus(), seconds === undefined ? {} : { "Retry-After": String(seconds) });
}

export function sendStatus(exchange: Exchange, status: Status, headers: Headers = {}): void {
  sendValue(exchange, status.code ?? 200, status, headers);
}

function isPretty({ query, request }: Exchange): boolean {
  const asked = query.get("pretty");
  if (asked !== null) return asked !== "false" && asked !== "0";
  return /^(curl|Wget|Mozilla)/.test(request.headers["user-agent"] ?? "");
}
