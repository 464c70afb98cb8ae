import type { Socket } from "node:net";
import { createServer, type SecureContext, type Server, type TLSSocket } from "node:tls";
import type { Clock } from "#base/clock.ts";
import { readClientHello } from "#wire/tls-hello.ts";
import type { Proxied } from "#wire/proxy-protocol.ts";
import type { Connection } from "../transport/connection.ts";
import type { TlsEntry } from "../transport/listen.ts";
import { peek } from "../transport/peek.ts";
import { SocketConnection, type OnFault } from "../transport/public.ts";

/** What becomes of a connection by the name that its client asks for: TLS ends here, or somebody else takes it as it is. */
export type NameRule = (serverName: string) => ((socket: Socket) => void) | undefined;

export interface TlsTerminatorOptions {
  readonly handshakeMs: number;
  readonly greetingMs: number;
  /** Offer HTTP/2 in the TLS handshake. */
  readonly http2: boolean;
  /** Shared by workers, so that a session goes on at any of them. */
  readonly ticketKeys: Buffer | undefined;
  readonly clock: Clock;
  readonly onFault: OnFault;
  /** The certificate for a server name. */
  readonly contextOf: (serverName: string) => SecureContext | undefined;
  /** Set while some name has to be known before TLS begins; else nobody looks into a greeting. */
  readonly ruleOfName: () => NameRule | undefined;
  readonly accept: (connection: Connection) => void;
}

/** Ends TLS of the sockets of all listeners of a worker. */
export class TlsTerminator implements TlsEntry {
  private readonly options: TlsTerminatorOptions;
  private readonly server: Server;
  /** Whom proxies speak for, until the handshake is over; by the peer's address, as TLS makes another object of a socket. */
  private readonly arrivals = new Map<string, Proxied>();
  private readonly shaking = new Set<Socket>();

  constructor(options: TlsTerminatorOptions) {
    this.options = options;
    this.server = createServer({
      ...this.base(),
      ALPNProtocols: options.http2 ? ["h2", "http/1.1"] : ["http/1.1"],
      noDelay: true,
      handshakeTimeout: options.handshakeMs,
      SNICallback: (serverName, done) => done(null, options.contextOf(serverName)),
    });
    this.server.on("secureConnection", (socket) => this.secured(socket));
  }

  /** The certificate for clients that name no server. */
  setDefault({ cert, key }: { readonly cert: string; readonly key: string }): void {
    this.server.setSecureContext({ ...this.base(), cert, key });
  }

  take(socket: Socket, proxied: Proxied | undefined): void {
    const rule = this.options.ruleOfName();
    if (rule === undefined) return this.shake(socket, proxied);
    let serverName: string | undefined;
    const look = (bytes: Buffer) => {
      const hello = readClientHello(bytes);
      if (hello.type === "incomplete") return "more";
      if (hello.type === "hello") ({ serverName } = hello);
      return 0;
    };
    const { clock, greetingMs } = this.options;
    this.hold(socket);
    peek(socket, { look, clock, ms: greetingMs }, () => {
      this.shaking.delete(socket);
      if (socket.destroyed) return;
      const elsewhere = serverName === undefined ? undefined : rule(serverName);
      if (elsewhere === undefined) this.shake(socket, proxied);
      else elsewhere(socket);
    });
  }

  /** Ends what is still shaking hands. */
  destroy(): void {
    for (const socket of this.shaking) socket.destroy();
  }

  private base(): { readonly minVersion: "TLSv1.2"; readonly ticketKeys?: Buffer } {
    const { ticketKeys } = this.options;
    return { minVersion: "TLSv1.2", ...(ticketKeys === undefined ? {} : { ticketKeys }) };
  }

  private hold(socket: Socket): void {
    this.shaking.add(socket);
    socket.once("close", () => this.shaking.delete(socket));
  }

  private shake(socket: Socket, proxied: Proxied | undefined): void {
    this.hold(socket);
    if (proxied !== undefined) {
      const key = keyOf(socket);
      this.arrivals.set(key, proxied);
      socket.once("close", () => {
        if (this.arrivals.get(key) === proxied) this.arrivals.delete(key);
      });
    }
    this.server.emit("connection", socket);
  }

  private secured(socket: TLSSocket): void {
    const proxied = this.arrivals.size === 0 ? undefined : this.arrivals.get(keyOf(socket));
    this.options.accept(new SocketConnection(socket, this.options.onFault, socket.localPort ?? 0, { proxied }));
  }
}

function keyOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`;
}
