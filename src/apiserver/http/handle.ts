import { STATUS_CODES, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { ApiError } from "#api/meta/status.ts";
import { actAs } from "../auth/impersonate.ts";
import { anonymous } from "../auth/authenticate.ts";
import { isStreamPath, joinStream } from "../stream/upgrade.ts";
import { dispatch, type Documents } from "./dispatch.ts";
import type { Exchange, Parts } from "./exchange.ts";
import type { Gate } from "./gate.ts";
import { isAsked } from "./options.ts";
import { sendError } from "./respond.ts";

const urlLimit = 8 * 1024;

export interface Handler {
  readonly request: (request: IncomingMessage, response: ServerResponse) => void;
  /** A request that asks for another protocol on its connection. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  isUpgrade(request: IncomingMessage): boolean;
}

export function createHandler(parts: Parts, documents: Documents, gate: Gate): Handler {
  const whoAsks = (request: IncomingMessage) => actAs(parts.authorizer, parts.authenticate.request(request), request);

  async function answer(exchange: Exchange): Promise<void> {
    const { request, response } = exchange;
    try {
      const user = whoAsks(request);
      const pass = gate.enter(user, isLong(exchange));
      // An answer counts as long as it waits for its client to read it; a watch or a log only until it is open.
      response.once("close", pass.closed);
      try {
        await dispatch({ ...exchange, user }, documents);
      } finally {
        if (response.headersSent && !response.writableEnded) pass.opened();
        if (response.closed) pass.closed();
      }
    } catch (error) {
      if (response.headersSent) {
        response.destroy();
        parts.log.debug({ path: exchange.path, error: String(error) }, "an answer broke off");
      } else sendError(exchange, error);
      // What was not read of the body must not stand in the way of the connection's next request.
      request.resume();
    }
  }

  return {
    request(request, response) {
      const exchange = exchangeOf(parts, request, response);
      if ((request.url ?? "").length > urlLimit) {
        sendError(exchange, new ApiError("BadRequest", `the URL is longer than ${urlLimit} bytes`, {}, 414));
        return;
      }
      if (parts.isStopping()) {
        // HTTP/2 has GOAWAY for this.
        if (request.httpVersionMajor === 1) response.setHeader("Connection", "close");
        sendError(exchange, stopping());
        request.resume();
        return;
      }
      void answer(exchange);
    },
    isUpgrade: (request) => isStreamPath(pathOf(request)) && request.headers.upgrade !== undefined,
    upgrade(request, socket, head) {
      socket.on("error", () => socket.destroy());
      const exchange = { ...exchangeOf(parts, request, undefined as unknown as ServerResponse) };
      const join = async () => {
        if (parts.isStopping()) throw stopping();
        const user = whoAsks(request);
        const pass = gate.enter(user, true);
        socket.once("close", pass.closed);
        if (socket.destroyed) pass.closed();
        await joinStream({ ...exchange, user }, socket, head);
        pass.opened();
      };
      join().catch((error: unknown) => refuse(parts, socket, error));
    },
  };
}

/** Whether an answer goes on until its client has enough: a watch, or a log that is followed. */
function isLong({ path, query }: Exchange): boolean {
  return isAsked(query.get("watch")) || isAsked(query.get("follow")) || /^\/api(s\/[^/]+)?\/[^/]+\/watch\//.test(path);
}

/** For those whose connection was still open when the server began to stop. */
function stopping(): ApiError {
  return new ApiError("ServiceUnavailable", "the API server is stopping", { retryAfterSeconds: 1 });
}

function pathOf({ url = "/" }: IncomingMessage): string {
  const mark = url.indexOf("?");
  return mark === -1 ? url : url.slice(0, mark);
}

function exchangeOf(parts: Parts, request: IncomingMessage, response: ServerResponse): Exchange {
  const { url = "/", method = "GET" } = request;
  const path = pathOf(request);
  const query = new URLSearchParams(url.slice(path.length));
  return { parts, request, response, method, path, query, user: anonymous, warnings: new Set() };
}

/** There is no response object yet when an upgrade is refused: the answer is written by hand. */
function refuse(parts: Parts, socket: Duplex, error: unknown): void {
  if (!(error instanceof ApiError)) parts.log.error({ error: String(error) }, "joining a stream failed");
  const answer = error instanceof ApiError ? error : new ApiError("InternalError", "joining the stream failed");
  const body = JSON.stringify(answer.toStatus());
  const head = [
    `HTTP/1.1 ${answer.code} ${STATUS_CODES[answer.code] ?? ""}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
