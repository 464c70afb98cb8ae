import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Certificates } from "../certificates.ts";
import type { TLSSocket } from "node:tls";
import type { Handler } from "./handle.ts";
import { createHttp2, http2Limits, type Http2Door, type Http2Limits } from "./http2.ts";

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface Listener {
  readonly address: ListenAddress;
  /** No new connections; idle ones end, the others after their answer, all after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

export interface ConnectionLimits {
  readonly connections: number;
  /** Of one address; this machine's own tools share one and are let in all the same. */
  readonly perClient: number;
}

/** A connection costs some 50 kB before anybody knows who asks: one pod must not take what all others need. */
export const connectionLimits: ConnectionLimits = { connections: 8_192, perClient: 512 };

function isLocal(address: string): boolean {
  return address === "::1" || /^(::ffff:)?127\./.test(address);
}

/** Opens one door. Rejects when the address cannot be had. */
export function openListener(
  address: ListenAddress,
  { ca, server: pair }: Pick<Certificates, "ca" | "server">,
  handler: Handler,
  limits: ConnectionLimits = connectionLimits,
  streams: Http2Limits = http2Limits,
): Promise<Listener> {
  const server = createServer({
    cert: pair.cert,
    key: pair.key,
    ca,
    minVersion: "TLSv1.2",
    // Exec, attach and port-forward take over their connection: clients ask for them by HTTP/1.1.
    ALPNProtocols: ["h2", "http/1.1"],
    requestCert: true,
    // Clients may come with a token instead; `authenticate` looks at what the handshake found.
    rejectUnauthorized: false,
    handshakeTimeout: 10_000,
    maxHeaderSize: 64 * 1024,
    headersTimeout: 15_000,
    requestTimeout: 60_000,
    // Go's clients drop idle connections after 90 s: the one who sends should be the one who closes.
    keepAliveTimeout: 120_000,
    // A client that vanished without a word is noticed, though its watch says nothing for minutes.
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
    shouldUpgradeCallback: (request) => handler.isUpgrade(request),
  } as Parameters<typeof createServer>[0]);
  const sockets = new Set<Socket>();
  const ofClient = new Map<string, number>();
  server.maxConnections = limits.connections;
  server.on("connection", (socket: Socket) => {
    const client = socket.remoteAddress ?? "";
    const held = ofClient.get(client) ?? 0;
    if (held >= limits.perClient && !isLocal(client)) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    ofClient.set(client, held + 1);
    socket.on("close", () => {
      sockets.delete(socket);
      const left = (ofClient.get(client) ?? 1) - 1;
      if (left === 0) ofClient.delete(client);
      else ofClient.set(client, left);
    });
  });
  const http2 = createHttp2(handler, streams);
  // The server's own listener serves HTTP/1.1, with its limits.
  const [serveHttp1] = server.listeners("secureConnection") as ((socket: TLSSocket) => void)[];
  server.removeAllListeners("secureConnection");
  server.on("secureConnection", (socket) => {
    if (socket.alpnProtocol === "h2") http2.take(socket);
    else serveHttp1?.call(server, socket);
  });
  server.on("request", handler.request);
  server.on("upgrade", handler.upgrade);
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(address, error)));
    server.listen(address.port, address.host, () => {
      // A connection that could not be taken, as when no file descriptor is left, is no end of the server.
      server.on("error", () => {});
      const { port } = server.address() as AddressInfo;
      resolve({
        address: { host: address.host, port },
        close: (graceMs) => closeServer(server, http2, sockets, graceMs),
      });
    });
  });
}

function listenError({ host, port }: ListenAddress, error: NodeJS.ErrnoException): Error {
  const where = `${host}:${port}`;
  const text =
    error.code === "EADDRINUSE"
      ? `${where} is taken by another program: stop it, or choose another port`
      : `cannot listen on ${where}: ${error.message}`;
  return new Error(text, { cause: error });
}

function closeServer(server: Server, http2: Http2Door, sockets: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    // The server itself knows only connections that have spoken HTTP.
    const timer = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
    http2.close();
  });
}
