import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type SecureContext, type Server as TlsServer } from "node:tls";
import { ListenError, type ListenerSpec } from "../running.ts";
import type { Connection } from "./connection.ts";
import { SocketConnection, type OnFault } from "./public.ts";

export interface Listening {
  readonly address: ListenerSpec;
  /** Accepts no more; what was accepted goes on. */
  close(): void;
  /** Ends what is still shaking hands. */
  destroy(): void;
  /** The certificate for clients that name no server. */
  setDefault(certificate: { readonly cert: string; readonly key: string }): void;
}

export interface ListenOptions {
  /** Several sockets share the port; the kernel spreads the connections. */
  readonly reusePort: boolean;
  readonly handshakeMs: number;
  /** Offer HTTP/2 in the TLS handshake. */
  readonly http2: boolean;
  /** Shared by workers, so that a session goes on at any of them. */
  readonly ticketKeys?: Buffer;
  /** The certificate for a server name. */
  readonly contextOf: (serverName: string) => SecureContext | undefined;
  readonly onFault: OnFault;
  readonly accept: (connection: Connection) => void;
  /** How many connections one listener holds, handshakes counted. */
  readonly most: number;
  /** Whether one more connection may be held. */
  readonly admits: () => boolean;
}

/** Listens on one address with public APIs; rejects with `ListenError`. */
export function listen(spec: ListenerSpec, options: ListenOptions): Promise<Listening> {
  const server = spec.tls ? tlsServer(options) : createServer({ noDelay: true, pauseOnConnect: false });
  const shaking = new Set<Socket>();
  let localPort = spec.port;
  server.maxConnections = options.most;
  const accept = (socket: Socket) => options.accept(new SocketConnection(socket, options.onFault, localPort));
  server.on("connection", (socket: Socket) => {
    if (!options.admits()) socket.destroy();
    else if (spec.tls) {
      shaking.add(socket);
      socket.once("close", () => shaking.delete(socket));
    } else accept(socket);
  });
  if (spec.tls) server.on("secureConnection", accept);
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(new ListenError(spec, error)));
    server.listen({ host: spec.host, port: spec.port, reusePort: options.reusePort, backlog: 4096 }, () => {
      server.on("error", () => {});
      const bound = server.address();
      if (typeof bound === "object" && bound !== null) localPort = bound.port;
      resolve({
        address: { ...spec, port: localPort },
        close: () => server.close(),
        destroy: () => {
          for (const socket of shaking) socket.destroy();
        },
        setDefault: ({ cert, key }) => {
          if (spec.tls) (server as TlsServer).setSecureContext({ ...tlsOptions(options), cert, key });
        },
      });
    });
  });
}

function tlsOptions({ ticketKeys }: ListenOptions): { readonly minVersion: "TLSv1.2"; readonly ticketKeys?: Buffer } {
  return { minVersion: "TLSv1.2", ticketKeys };
}

function tlsServer(options: ListenOptions): Server {
  return createTlsServer({
    ...tlsOptions(options),
    ALPNProtocols: options.http2 ? ["h2", "http/1.1"] : ["http/1.1"],
    noDelay: true,
    handshakeTimeout: options.handshakeMs,
    SNICallback: (serverName, done) => done(null, options.contextOf(serverName)),
  });
}

/**
 * Takes the address once, alone, and gives it back: a listener that shares its port would succeed beside a foreign one
 * and get only a part of the connections. Resolves with the port, which matters for port 0.
 */
export async function probePort(spec: ListenerSpec): Promise<ListenerSpec> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(new ListenError(spec, error)));
    server.listen({ host: spec.host, port: spec.port, exclusive: true }, resolve);
  });
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : spec.port;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return { ...spec, port };
}
