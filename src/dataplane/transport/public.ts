import { connect as connectTcp, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import {
  headroom,
  lent,
  sent,
  type Connecting,
  type Connection,
  type ConnectionHandler,
  type Dialer,
  type DialTarget,
  type TlsPeer,
  type WriteResult,
} from "./connection.ts";
import type { Proxied } from "#wire/proxy-protocol.ts";
import { createLookup } from "./lookup.ts";
import { ReadBuffer } from "./read-buffer.ts";

const nothing = Buffer.alloc(0);

/** How much a TLS connection takes without being waited for. */
const mostAtOnce = 64 * 1024;

const noHandler: ConnectionHandler = { onData() {}, onEnd() {}, onDrain() {}, onClose() {} };

/** Told of a defect in what handles a connection. */
export type OnFault = (error: unknown) => void;

/** A `Connection` over a socket of node:net or node:tls. */
export class SocketConnection implements Connection {
  handler: ConnectionHandler = noHandler;
  readonly tls: boolean;
  readonly http2: boolean;
  readonly localPort: number;
  readonly proxied: Proxied | undefined;
  readonly peer: TlsPeer | undefined;
  blocked = false;
  closed = false;
  letsGo = false;
  private readonly socket: Socket;
  private readonly onFault: OnFault;
  private reader: SocketReader | undefined;
  private error: NodeJS.ErrnoException | undefined;
  private readonly written: () => void;

  /** `localPort` is known to a listener; asking the system would cost a call a connection. */
  constructor(socket: Socket, onFault: OnFault, localPort: number, { reader, proxied, peer }: SocketExtras = {}) {
    this.socket = socket;
    this.onFault = onFault;
    this.reader = reader;
    this.tls = socket instanceof TLSSocket;
    this.http2 = socket instanceof TLSSocket && socket.alpnProtocol === "h2";
    this.proxied = proxied;
    this.peer = peer;
    this.localPort = proxied?.destination.port ?? localPort;
    this.written = () => {
      if (!this.blocked || this.closed || this.socket.destroyed || this.socket.writableLength > 0) return;
      this.blocked = false;
      this.guard(() => this.handler.onDrain());
    };
    if (reader === undefined) socket.on("data", (bytes: Buffer) => this.received(bytes, 0, bytes.length));
    else reader.owner = this;
    socket.on("end", () => this.guard(() => this.handler.onEnd()));
    socket.on("error", (error: NodeJS.ErrnoException) => (this.error = error));
    socket.on("close", () => {
      this.closed = true;
      reader?.release();
      this.guard(() => this.handler.onClose(this.error));
    });
  }

  // Asked for when wanted, as it costs a call to the system: the socket remembers it from the first time on.

  get remoteAddress(): string {
    return this.proxied?.source.address ?? plainAddress(this.socket.remoteAddress ?? "");
  }

  get remotePort(): number {
    return this.proxied?.source.port ?? this.socket.remotePort ?? 0;
  }

  /** Tells the handler of bytes. A defect in one exchange ends its connection, not the worker and everyone else's. */
  received(bytes: Buffer, start: number, end: number): void {
    try {
      this.handler.onData(bytes, start, end);
    } catch (error) {
      this.fault(error);
    }
  }

  private guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.fault(error);
    }
  }

  private fault(error: unknown): void {
    this.onFault(error);
    this.socket.destroy();
  }

  /**
   * The kernel takes the bytes inside `write` when it can, and nothing refers to them afterwards; the stream's length
   * says whether it did.
   */
  write(bytes: Buffer): WriteResult {
    if (this.closed || this.socket.destroyed) return sent;
    if (this.tls) {
      // TLS encrypts at once what does not have to wait, and keeps its own copy.
      const isTaken = this.socket.writableLength === 0 && bytes.length <= mostAtOnce;
      this.socket.write(bytes, isTaken ? undefined : this.written);
      if (isTaken) return sent;
    } else this.socket.write(bytes);
    if (this.socket.writableLength === 0) return sent;
    this.blocked = true;
    // An empty write behind the others tells when they have gone; a callback on each write would cost every request.
    if (!this.tls) this.socket.write(nothing, this.written);
    return lent;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  keepReadBuffer(): void {
    this.reader?.replace();
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }
}

interface SocketExtras {
  readonly reader?: SocketReader | undefined;
  readonly proxied?: Proxied | undefined;
  readonly peer?: TlsPeer;
}

/** Lets a socket read into a buffer that is used again and again. */
class SocketReader {
  owner: SocketConnection | undefined;
  private readonly buffer: ReadBuffer;

  /** Takes its first memory from `spares`, and leaves it there when the connection is closed. */
  constructor(spares?: Buffer[]) {
    this.buffer = new ReadBuffer(spares);
  }

  release(): void {
    this.buffer.release();
  }

  readonly next = (): Uint8Array => this.buffer.window;

  readonly read = (length: number): boolean => {
    const { buffer } = this;
    const { window } = buffer;
    this.owner?.received(buffer.whole, headroom, headroom + length);
    if (buffer.window === window) buffer.noteRead(length);
    return true;
  };

  replace(): void {
    this.buffer.replace();
  }
}

/** Connects with public APIs. TLS to endpoints is encrypted, not verified, and names no server, as ingress-nginx does by
 * default. */
export function createPublicDialer(onFault: OnFault, nameServers: readonly string[] = []): Dialer {
  const lookup = createLookup(nameServers);
  const spares: Buffer[] = [];
  return { connect: (target, done) => connect(target, done, { onFault, lookup, spares }) };
}

function connect(
  { address, port, tls, http2, serverName, halfOpen = false }: DialTarget,
  done: (result: Connection | NodeJS.ErrnoException) => void,
  { onFault, lookup, spares }: { onFault: OnFault; lookup: LookupFunction; spares: Buffer[] },
): Connecting {
  // Streams copy or keep all they read; of requests, something may be needed later.
  const reader = tls ? undefined : new SocketReader(halfOpen ? spares : undefined);
  const socket =
    reader === undefined
      ? dialTls({ address, port, http2, serverName, lookup })
      : dialTcp({ address, port, reader, lookup, halfOpen });
  const event = tls ? "secureConnect" : "connect";
  const cancel = () => {
    socket.off("error", failed);
    socket.off("close", closed);
    socket.off(event, connected);
    socket.on("error", () => {});
    socket.destroy();
  };
  const failed = (error: NodeJS.ErrnoException) => {
    cancel();
    done(error);
  };
  const closed = () => failed(Object.assign(new Error("closed while connecting"), { code: "ECONNRESET" }));
  const connected = () => {
    socket.off("error", failed);
    socket.off("close", closed);
    done(new SocketConnection(socket, onFault, 0, { reader }));
  };
  socket.once("error", failed);
  socket.once("close", closed);
  socket.once(event, connected);
  return { cancel };
}

function dialTls({ address, port, http2, serverName = "", lookup }: TlsTarget): Socket {
  const options = {
    host: address,
    port,
    rejectUnauthorized: false,
    servername: serverName,
    ALPNProtocols: [http2 ? "h2" : "http/1.1"],
    lookup,
  };
  return connectTls(options).setNoDelay(true);
}

interface TlsTarget {
  address: string;
  port: number;
  http2: boolean;
  serverName: string | undefined;
  lookup: LookupFunction;
}

interface TcpTarget {
  address: string;
  port: number;
  reader: SocketReader;
  lookup: LookupFunction;
  halfOpen: boolean;
}

function dialTcp({ address, port, reader, lookup, halfOpen }: TcpTarget): Socket {
  return connectTcp({
    host: address,
    port,
    noDelay: true,
    allowHalfOpen: halfOpen,
    lookup,
    onread: { buffer: reader.next, callback: reader.read },
  });
}

/** `10.0.0.1` for the IPv4-mapped `::ffff:10.0.0.1` that a dual-stack listener reports. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
