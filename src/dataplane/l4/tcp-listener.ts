import { createServer, type Server, type Socket } from "node:net";
import type { Proxied } from "#wire/proxy-protocol.ts";
import type { CounterSlot } from "../counters.ts";
import type { StreamEntry } from "../table.ts";
import type { Connection } from "../transport/connection.ts";
import { greetProxy } from "../transport/listen.ts";
import { plainAddress, SocketConnection } from "../transport/public.ts";
import { acceptRaw, HandleConnection } from "../transport/raw.ts";
import { ReadBuffer } from "../transport/read-buffer.ts";
import type { StreamContext } from "./context.ts";
import { StreamEndpoints } from "./endpoints.ts";
import { countStatus } from "./failure.ts";
import type { StreamListener, StreamListenerOptions } from "./listener.ts";
import { TcpSession } from "./tcp-session.ts";

export interface TcpListenerOptions extends StreamListenerOptions {
  readonly slot: CounterSlot;
  /** Whether one more connection may be held. */
  readonly admits: () => boolean;
  /** Takes a session into account until it calls what it gets back. */
  readonly adopt: (session: TcpSession) => void;
  readonly forget: (session: TcpSession) => void;
}

/** A TCP port: each connection goes to one endpoint. */
export class TcpListener implements StreamListener {
  private entry: StreamEntry;
  private readonly context: StreamContext;
  private readonly options: TcpListenerOptions;
  private readonly endpoints: StreamEndpoints;
  private readonly server: Server;
  private readonly sessions = new Set<TcpSession>();
  /** Connections that have not shown their PROXY header yet. */
  private readonly greeting = new Set<Socket>();
  /** Memory of connections that have closed. */
  private readonly spares: Buffer[] = [];

  constructor(context: StreamContext, entry: StreamEntry, options: TcpListenerOptions) {
    this.context = context;
    this.entry = entry;
    this.options = options;
    this.endpoints = new StreamEndpoints(entry.target, options.start);
    // Paused: what a client sends is not read before there is an endpoint for it.
    this.server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (socket) =>
      this.accept(socket),
    );
  }

  listen(): Promise<void> {
    const { host, shared } = this.options;
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen({ host, port: this.entry.port, reusePort: shared, backlog: 4096 }, () => {
        this.server.off("error", reject);
        this.server.on("error", () => {});
        this.acceptHandles();
        resolve();
      });
    });
  }

  update(entry: StreamEntry): void {
    this.entry = entry;
    this.endpoints.update(entry.target);
  }

  stop(): void {
    this.server.close();
    for (const socket of this.greeting) socket.destroy();
  }

  destroy(): void {
    this.stop();
    for (const session of this.sessions) session.destroy();
  }

  /** Where nothing has to be read before, no socket is made of a connection. */
  private acceptHandles(): void {
    const { handles, onFault } = this.context;
    if (handles === undefined) return;
    acceptRaw(this.server, {
      onFault,
      admits: this.options.admits,
      leaves: () => this.entry.acceptProxy === true,
      take: (handle) => {
        const traits = { reader: new ReadBuffer(this.spares), halfOpen: true, paused: true };
        const connection = new HandleConnection(handle, { handles, onFault }, this.entry.port, traits);
        this.serve(connection, () => ({
          source: { address: connection.remoteAddress, port: connection.remotePort },
          destination: connection.localName,
        }));
      },
    });
  }

  private accept(socket: Socket): void {
    if (!this.options.admits()) socket.destroy();
    else if (this.entry.acceptProxy === true) this.greet(socket);
    else this.serveSocket(socket, undefined);
  }

  private greet(socket: Socket): void {
    const { context, greeting } = this;
    const { clock, limits, trustsProxy } = context;
    greeting.add(socket);
    socket.once("close", () => greeting.delete(socket));
    const serve = (proxied: Proxied | undefined) => {
      greeting.delete(socket);
      this.serveSocket(socket, proxied);
    };
    greetProxy(socket, trustsProxy, { clock, greetingMs: limits.greetingMs }, serve, () => {
      countStatus(this.options.slot, 400);
    });
  }

  private serveSocket(socket: Socket, proxied: Proxied | undefined): void {
    const connection = new SocketConnection(socket, this.context.onFault, this.entry.port);
    connection.pause();
    this.serve(connection, () => proxied ?? proxiedOf(socket));
  }

  /** Takes a connection that is paused. */
  private serve(connection: Connection, proxied: () => Proxied): void {
    const { context, entry, endpoints, options, sessions } = this;
    const session = new TcpSession(context, connection, {
      place: { id: entry.id, slot: options.slot },
      target: entry.target,
      endpoints,
      proxied,
      left: () => {
        sessions.delete(session);
        options.forget(session);
      },
    });
    sessions.add(session);
    options.adopt(session);
    session.begin();
  }
}

/** The two ends of a connection as the system tells them. */
export function proxiedOf({ remoteAddress = "", remotePort = 0, localAddress = "", localPort = 0 }: Socket): Proxied {
  return {
    source: { address: plainAddress(remoteAddress), port: remotePort },
    destination: { address: plainAddress(localAddress), port: localPort },
  };
}
