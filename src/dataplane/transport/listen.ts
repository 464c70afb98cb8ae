import { createServer, isIPv6, type Server, type Socket } from "node:net";
import type { Clock } from "#base/clock.ts";
import { readProxyHeader, type Proxied } from "#wire/proxy-protocol.ts";
import { ListenError, type ListenerSpec } from "../running.ts";
import type { Connection } from "./connection.ts";
import type { Handles, TcpHandle } from "./handles.ts";
import { peek } from "./peek.ts";
import { plainAddress, SocketConnection, type OnFault } from "./public.ts";
import { acceptRaw, HandleConnection } from "./raw.ts";

export interface Listening {
  readonly address: ListenerSpec;
  /** Accepts no more; what was accepted goes on. */
  close(): void;
  /** Ends what is still shaking hands. */
  destroy(): void;
}

/** What makes connections of sockets that have been accepted at a TLS port. */
export interface TlsEntry {
  /** `proxied` is whom a proxy in front speaks for. */
  take(socket: Socket, proxied: Proxied | undefined): void;
  /** Whether it takes a connection that comes now without a socket around it. */
  takesHandles(): boolean;
  takeHandle(handle: TcpHandle, localPort: number): void;
}

export interface ListenOptions {
  /** Several sockets share the port; the kernel spreads the connections. */
  readonly reusePort: boolean;
  readonly clock: Clock;
  readonly greetingMs: number;
  /** Set where connections have to begin with a PROXY header: says which peers it is believed of. */
  readonly believesProxy: ((address: string) => boolean) | undefined;
  readonly tls: TlsEntry;
  readonly onFault: OnFault;
  /** Connections go by these handles; by sockets when absent. */
  readonly handles: Handles | undefined;
  readonly accept: (connection: Connection) => void;
  /** How many connections one listener holds, handshakes counted. */
  readonly most: number;
  /** Whether one more connection may be held. */
  readonly admits: () => boolean;
}

/** Listens on one address; rejects with `ListenError`. */
export function listen(spec: ListenerSpec, options: ListenOptions): Promise<Listening> {
  const server = createServer({ noDelay: true });
  /** Connections that show who they are. */
  const greeting = new Set<Socket>();
  let localPort = spec.port;
  server.maxConnections = options.most;
  const take = (socket: Socket, proxied?: Proxied) => {
    if (spec.tls) options.tls.take(socket, proxied);
    else options.accept(new SocketConnection(socket, options.onFault, localPort, { proxied }));
  };
  server.on("connection", (socket: Socket) => {
    const { believesProxy: believes } = options;
    if (!options.admits()) socket.destroy();
    else if (believes === undefined) take(socket);
    else {
      greeting.add(socket);
      socket.once("close", () => greeting.delete(socket));
      greetProxy(socket, believes, options, (proxied) => take(socket, proxied));
    }
  });
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(new ListenError(spec, error)));
    // `::` is IPv6 alone: IPv4 has a listener of its own, where clients have their addresses as they are written.
    const ipv6Only = isIPv6(spec.host);
    server.listen({ host: spec.host, port: spec.port, ipv6Only, reusePort: options.reusePort, backlog: 4096 }, () => {
      server.on("error", () => {});
      const bound = server.address();
      if (typeof bound === "object" && bound !== null) localPort = bound.port;
      const { handles, believesProxy } = options;
      if (handles !== undefined && believesProxy === undefined)
        acceptHandles(server, spec.tls, localPort, { ...options, handles });
      resolve({
        address: { ...spec, port: localPort },
        close: () => server.close(),
        destroy: () => {
          for (const socket of greeting) socket.destroy();
        },
      });
    });
  });
}

function acceptHandles(
  server: Server,
  isTls: boolean,
  localPort: number,
  options: ListenOptions & { readonly handles: Handles },
): void {
  const { onFault, admits, tls, accept } = options;
  if (isTls) {
    const take = (handle: TcpHandle) => tls.takeHandle(handle, localPort);
    acceptRaw(server, { onFault, admits, take, leaves: () => !tls.takesHandles() });
  } else {
    const take = (handle: TcpHandle) => accept(new HandleConnection(handle, options, localPort));
    acceptRaw(server, { onFault, admits, take });
  }
}

/** Takes the PROXY header off a connection, or closes one that does not begin with it. */
export function greetProxy(
  socket: Socket,
  believes: (address: string) => boolean,
  { clock, greetingMs }: Pick<ListenOptions, "clock" | "greetingMs">,
  done: (proxied: Proxied | undefined) => void,
  refused: () => void = () => {},
): void {
  let found: Proxied | undefined;
  const look = (bytes: Buffer) => {
    const header = readProxyHeader(bytes);
    if (header.type !== "header") return header.type === "incomplete" ? "more" : "refused";
    found = header.proxied;
    return header.length;
  };
  peek(socket, { look, clock, ms: greetingMs, refused }, () => {
    if (!socket.destroyed) done(believes(plainAddress(socket.remoteAddress ?? "")) ? found : undefined);
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
