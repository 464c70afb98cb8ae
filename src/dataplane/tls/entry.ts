import type { Socket } from "node:net";
import { constants, createHash } from "node:crypto";
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TlsOptions,
  type TLSSocket,
} from "node:tls";
import type { Clock } from "#base/clock.ts";
import type { Deadlines } from "../deadline.ts";
import { readClientHello } from "#wire/tls-hello.ts";
import type { Proxied } from "#wire/proxy-protocol.ts";
import type { Connection } from "../transport/connection.ts";
import type { TlsEntry } from "../transport/listen.ts";
import { peek } from "../transport/peek.ts";
import type { Handles, TcpHandle } from "../transport/handles.ts";
import { SocketConnection, type OnFault } from "../transport/public.ts";
import type { TlsStart } from "../transport/raw-tls.ts";
import type { CertificateEntry, ClientAuth, HostEntry } from "../table.ts";
import { SocketPeer } from "./peer.ts";
import { secureOptionsOf, type TlsSettings } from "./settings.ts";
import { Shakes } from "./shakes.ts";

/** What becomes of a connection by the name that its client asks for. */
export type NameRule = (serverName: string) => NameOutcome | undefined;

export type NameOutcome =
  /** Somebody else takes it as it is. */
  | { readonly type: "pass"; readonly pass: (socket: Socket) => void }
  /** This one ends TLS. */
  | { readonly type: "serve"; readonly server: Server };

/** What a host's TLS has of its own. */
export type HostRules = Pick<HostEntry, "ciphers" | "clientAuth">;

export interface TlsTerminatorOptions {
  readonly handshakeMs: number;
  readonly greetingMs: number;
  /** Offer HTTP/2 in the TLS handshake. */
  readonly http2: boolean;
  /** Shared by workers, so that a session goes on at any of them. */
  readonly ticketKeys: Buffer | undefined;
  readonly settings: TlsSettings;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly onFault: OnFault;
  /** Connections go by these handles where they can; by sockets when absent. */
  readonly handles: Handles | undefined;
  /** The certificate for a server name, when that is not the default one: to change it costs something. */
  readonly contextOf: (serverName: string) => SecureContext | undefined;
  /** The OCSP response for a certificate in DER. */
  readonly stapleOf: (certificate: Buffer) => Buffer | undefined;
  /** The same for the certificate that a server name gets. */
  readonly stapleFor: (serverName: string) => Buffer | undefined;
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
  private readonly shakes: Shakes | undefined;
  private start: TlsStart;

  constructor(options: TlsTerminatorOptions) {
    this.options = options;
    const { handles, deadlines, onFault, handshakeMs } = options;
    this.shakes = handles === undefined ? undefined : new Shakes({ handles, deadlines, onFault, ms: handshakeMs });
    this.start = this.startWith(this.base());
    this.server = createServer({
      ...this.base(),
      ...this.common(),
      SNICallback: (serverName, done) => done(null, options.contextOf(serverName)),
    });
    this.server.on("secureConnection", (socket) => this.secured(socket));
    this.staple(this.server);
  }

  /** The certificate for clients that name no server. */
  setDefault({ cert, key }: { readonly cert: string; readonly key: string }): void {
    const options = { ...this.base(), cert, key };
    this.server.setSecureContext(options);
    this.start = this.startWith(options);
  }

  private startWith(options: SecureContextOptions): TlsStart {
    const { contextOf, stapleFor } = this.options;
    const protocols = this.protocols.map((name) => Buffer.from(`${String.fromCharCode(name.length)}${name}`, "latin1"));
    return {
      context: createSecureContext(options),
      protocols: Buffer.concat(protocols),
      contextOf,
      stapleOf: stapleFor,
    };
  }

  /**
   * What ends TLS for one host that has rules of its own. Where clients show certificates, no session goes on elsewhere,
   * nor one from elsewhere here: every connection is checked by the rules of its host, as they are then. Throws where the
   * certificates or rules cannot be used.
   */
  serverFor({ cert, key }: Pick<CertificateEntry, "cert" | "key">, { ciphers, clientAuth }: HostRules): Server {
    const server = createServer({
      ...this.base(ciphers),
      ...this.common(),
      cert,
      key,
      sessionIdContext: createHash("sha256")
        .update(JSON.stringify([clientAuth?.id, ciphers]))
        .digest("hex")
        .slice(0, 32),
      ...(clientAuth === undefined ? {} : asking(clientAuth)),
    });
    server.on("secureConnection", (socket) => this.secured(socket, clientAuth));
    this.staple(server);
    return server;
  }

  /** How many handshakes are under way on handles. */
  get busy(): number {
    return this.shakes?.count ?? 0;
  }

  takeHandle(handle: TcpHandle, localPort: number): void {
    this.shakes?.begin(handle, localPort, this.start, this.options.accept);
  }

  takesHandles(): boolean {
    return this.shakes !== undefined && this.options.ruleOfName() === undefined;
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
      const outcome = serverName === undefined ? undefined : rule(serverName);
      if (outcome?.type === "pass") outcome.pass(socket);
      else this.shake(socket, proxied, outcome?.server);
    });
  }

  /** Ends what is still shaking hands. */
  destroy(): void {
    for (const socket of this.shaking) socket.destroy();
    this.shakes?.destroy();
  }

  private base(ciphers?: string) {
    const { ticketKeys, settings } = this.options;
    const keys = ticketKeys === undefined ? {} : { ticketKeys };
    return { ...secureOptionsOf(settings, ciphers), sessionIdContext: "fairlead", ...keys };
  }

  private get protocols(): string[] {
    return this.options.http2 ? ["h2", "http/1.1"] : ["http/1.1"];
  }

  private common(): TlsOptions {
    return { ALPNProtocols: this.protocols, noDelay: true, handshakeTimeout: this.options.handshakeMs };
  }

  private hold(socket: Socket): void {
    this.shaking.add(socket);
    socket.once("close", () => this.shaking.delete(socket));
  }

  /** Gives OCSP responses to clients that ask for them. */
  private staple(server: Server): void {
    server.on("OCSPRequest", (certificate: Buffer | null, _issuer, done) => {
      done(null, certificate === null ? null : (this.options.stapleOf(certificate) ?? null));
    });
  }

  private shake(socket: Socket, proxied: Proxied | undefined, server = this.server): void {
    this.hold(socket);
    if (proxied !== undefined) {
      const key = keyOf(socket);
      this.arrivals.set(key, proxied);
      socket.once("close", () => {
        if (this.arrivals.get(key) === proxied) this.arrivals.delete(key);
      });
    }
    server.emit("connection", socket);
  }

  private secured(socket: TLSSocket, rules?: ClientAuth): void {
    const proxied = this.arrivals.size === 0 ? undefined : this.arrivals.get(keyOf(socket));
    const peer = new SocketPeer(socket, rules);
    this.options.accept(new SocketConnection(socket, this.options.onFault, socket.localPort ?? 0, { proxied, peer }));
  }
}

/** Asks for certificates. Whoever cannot be let in is told so by an answer, not by the handshake. */
function asking({ ca, crl }: ClientAuth): TlsOptions {
  return {
    ca,
    ...(crl === undefined ? {} : { crl }),
    requestCert: true,
    rejectUnauthorized: false,
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}

function keyOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`;
}
