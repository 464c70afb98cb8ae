import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { WebSocketServer } from "ws";
import { bytesOf } from "./bytes.ts";

// Endpoints in a process of their own: HTTP/1.1 with WebSockets on one port, HTTP/2 on another. Told their name.
//
//   GET /bytes/SEED/COUNT   so many bytes of a seed      POST /hash   the hash of what came
//   POST /echo              what came, as it comes       GET /name    who answers

const [name = ""] = process.argv.slice(2);

const http = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }, (request, response) => {
  const [, what, seed = "", count = "0"] = (request.url ?? "").split("/");
  request.on("error", () => {});
  response.on("error", () => {});
  if (what === "bytes") {
    const bytes = bytesOf(seed, Number(count));
    // Half of them say how long they are, half come in chunks.
    if (Number(seed) % 2 === 0) response.setHeader("Content-Length", bytes.length);
    response.end(bytes);
  } else if (what === "hash") {
    const hash = createHash("sha256");
    request.on("data", (bytes: Buffer) => hash.update(bytes));
    request.on("end", () => response.end(hash.digest("hex")));
  } else if (what === "echo") request.pipe(response);
  else response.end(name);
});
const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
sockets.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", (bytes, isBinary) => socket.send(bytes, { binary: isBinary }));
});

// A gRPC method in both directions: each message comes back, and the status behind the last.
const http2 = createHttp2Server({ settings: { maxConcurrentStreams: 1000 } });
http2.on("sessionError", () => {});
http2.on("stream", (stream: ServerHttp2Stream) => {
  stream.on("error", () => {});
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.pipe(stream);
});

const listening = (server: { listen(port: number, host: string, done: () => void): unknown }) =>
  new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
await Promise.all([listening(http), listening(http2)]);
for (const server of [http, http2]) server.on("connection", (socket: Socket) => socket.on("error", () => {}));
const ports = [http, http2].map((server) => (server.address() as AddressInfo).port);
process.on("disconnect", () => process.exit());
process.send?.({ id: 0, result: ports });
