import { constants, createServer, Http2ServerRequest, Http2ServerResponse, type ServerHttp2Session } from "node:http2";
import type { TLSSocket } from "node:tls";
import type { Handler } from "./handle.ts";

export interface Http2Limits {
  /** Requests and watches at once on one connection, as upstream; Go's clients open another connection for more. */
  readonly streams: number;
  /** A connection without a request is closed after so long. */
  readonly idleMs: number;
  /** A body must be there within this time. */
  readonly bodyMs: number;
}

export const http2Limits: Http2Limits = { streams: 100, idleMs: 120_000, bodyMs: 60_000 };

export interface Http2Door {
  /** Serves a connection that has agreed on HTTP/2. */
  take(socket: TLSSocket): void;
  /** Says GOAWAY on every connection; each closes after its last answer. */
  close(): void;
}

/** Node's compatible forms, completed by what those of HTTP/1.1 have and the handlers look at. */
class Request extends Http2ServerRequest {}
class Response extends Http2ServerResponse<Request> {}

// Node makes a stand-in of the socket for each request; signing in by certificate keeps what it found for a connection.
define(Request, "socket", ({ stream }) => stream.session?.socket);
define(Request, "headersDistinct", ({ rawHeaders }) => distinct(rawHeaders));
define(Response, "destroyed", ({ stream }) => stream.destroyed);
define(Response, "closed", ({ stream }) => stream.closed);

function define<T extends object>(form: { prototype: T }, name: string, get: (own: T) => unknown): void {
  Object.defineProperty(form.prototype, name, {
    get(this: T) {
      return get(this);
    },
  });
}

/** Each field's values by its name; Node joins them in `headers`, where a comma may stand in a value too. */
function distinct(raw: readonly string[]): Record<string, string[]> {
  const values: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (let index = 0; index < raw.length; index += 2) (values[raw[index] ?? ""] ??= []).push(raw[index + 1] ?? "");
  return values;
}

/**
 * HTTP/2 for connections that a TLS listener hands over: Node's, whose nghttp2 ends connections that reset streams
 * again and again (1000 at once, 33 a second), send invalid frames, or headers without end.
 */
export function createHttp2(handler: Handler, limits: Http2Limits): Http2Door {
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer({
    settings: { maxConcurrentStreams: limits.streams, maxHeaderListSize: 64 * 1024, initialWindowSize: 256 * 1024 },
    // In MB. Lists that wait for their readers count too; a client that reads none of them is cut off for that.
    maxSessionMemory: 256,
    Http2ServerRequest: Request,
    Http2ServerResponse: Response,
  });
  server.on("request", (request, response) => {
    if (!request.stream.endAfterHeaders) expectBody(request, limits.bodyMs);
    handler.request(request as never, response as never);
  });
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
    let open = 0;
    session.on("stream", (stream) => {
      open += 1;
      stream.on("close", () => (open -= 1));
    });
    session.on("timeout", () => {
      if (open === 0) session.close();
      else session.setTimeout(limits.idleMs);
    });
    session.setTimeout(limits.idleMs);
  });
  return {
    take: (socket) => server.emit("connection", socket),
    close() {
      for (const session of sessions) session.close();
    },
  };
}

function expectBody(request: Http2ServerRequest, withinMs: number): void {
  const timer = setTimeout(() => request.stream.close(constants.NGHTTP2_CANCEL), withinMs);
  request.once("end", () => clearTimeout(timer));
  request.once("close", () => clearTimeout(timer));
}
