import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Opened } from "./open.ts";

export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Load balancers and scrapers are few. */
const mostConnections = 100;

/** Answers every request on an opened port until it is closed. `reply` gets the path without its query. */
export function serveOn(opened: Extract<Opened, { socket: unknown }>, reply: (path: string) => Reply): Server {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
    const { status, type, body, headers } = answer(request, reply);
    request.resume();
    response.writeHead(status, {
      "Content-Type": type,
      "Content-Length": Buffer.byteLength(body),
      "X-Content-Type-Options": "nosniff",
      ...headers,
    });
    response.end(request.method === "HEAD" ? undefined : body);
  });
  server.maxConnections = mostConnections;
  server.on("error", () => {});
  server.listen(opened.socket);
  // Health is asked as long as the process runs, and never keeps it running.
  server.unref();
  return server;
}

function answer({ url = "", method }: IncomingMessage, reply: (path: string) => Reply): Reply {
  if (method === "GET" || method === "HEAD") return reply(url.split("?")[0] ?? "");
  return { status: 405, type: "text/plain; charset=utf-8", body: "only GET is answered\n" };
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
