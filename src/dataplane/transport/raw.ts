import { isIP, type Server } from "node:net";
import { getSystemErrorName } from "node:util";
import {
  headroom,
  lent,
  sent,
  type Connecting,
  type Connection,
  type ConnectionHandler,
  type Dialer,
  type WriteResult,
} from "./connection.ts";
import type { Handles, ShutdownRequest, StreamHandle, TcpHandle, WriteRequest } from "./handles.ts";
import { plainAddress, type OnFault } from "./public.ts";
import { ReadBuffer } from "./read-buffer.ts";

const noHandler: ConnectionHandler = { onData() {}, onEnd() {}, onDrain() {}, onClose() {} };

/**
 * What clients' connections read into, all of them, so that a connection that waits owns no memory. What came is copied
 * out, unless the handler has done with it when it returns.
 */
const sharedBytes = 64 * 1024;
const shared = Buffer.allocUnsafeSlow(sharedBytes);

export interface RawOptions {
  readonly handles: Handles;
  readonly onFault: OnFault;
}

/** What is not usual about a connection. */
export interface HandleTraits {
  /** What is read from and written to, when that is not the handle itself. */
  readonly stream?: StreamHandle;
  /** Where it reads, for itself alone. */
  readonly reader?: ReadBuffer | undefined;
  /** The peer may end its side and go on reading; else its end ends ours. */
  readonly halfOpen?: boolean;
  /** Nothing is read before `resume`. */
  readonly paused?: boolean;
}

/**
 * A `Connection` over a TCP handle of Node's own, without the stream that `node:net` puts around it: that costs more than
 * all we do. It does what a `SocketConnection` does, which one suite holds both to.
 */
export class HandleConnection implements Connection {
  handler: ConnectionHandler = noHandler;
  readonly tls: boolean = false;
  http2 = false;
  readonly localPort: number;
  blocked = false;
  closed = false;
  letsGo = false;
  protected readonly handle: TcpHandle;
  /** What is read from and written to: the handle, or what stands on it. */
  protected readonly stream: StreamHandle;
  protected readonly options: RawOptions;
  /** Absent where it reads into the shared memory. */
  private readonly reader: ReadBuffer | undefined;
  private readonly halfOpen: boolean;
  private pending = 0;
  private writes = 0;
  /** No more is read and written; `onClose` will be told. */
  protected closing = false;
  /** We say no more. */
  protected ending = false;
  private shut = false;
  /** The peer says no more. */
  protected heardEnd = false;
  private error: NodeJS.ErrnoException | undefined;
  private peerName: PlainName | undefined;

  /** Takes the handle over and reads from it. `localPort` is 0 for connections to endpoints. */
  constructor(handle: TcpHandle, options: RawOptions, localPort: number, traits: HandleTraits = {}) {
    const { stream = handle, reader, halfOpen = false, paused = false } = traits;
    this.handle = handle;
    this.stream = stream;
    this.options = options;
    this.localPort = localPort;
    this.reader = reader;
    this.halfOpen = halfOpen;
    handle.owner = this;
    stream.owner = this;
    stream.onread = onRead;
    stream.useUserBuffer(reader?.window ?? shared);
    if (!paused) stream.readStart();
  }

  // Asked for when wanted, and once, as it costs a call to the system; a connection that is gone has no peer.

  get remoteAddress(): string {
    return this.named.address;
  }

  get remotePort(): number {
    return this.named.port;
  }

  private get named(): PlainName {
    return (this.peerName ??= this.localPort > 0 ? this.ask((name) => this.handle.getpeername(name)) : noName);
  }

  /** Our own end of it. */
  get localName(): PlainName {
    return this.ask((name) => this.handle.getsockname(name));
  }

  private ask(call: (name: { address?: string; port?: number }) => void): PlainName {
    const name: { address?: string; port?: number } = {};
    if (!this.closing) call(name);
    return { address: plainAddress(name.address ?? ""), port: name.port ?? 0 };
  }

  /** Tells what was read; returns where to read next when that has changed. */
  read(): Uint8Array | undefined {
    const length = this.options.handles.lastRead();
    if (length <= 0 || this.closing) {
      if (length < 0) this.readEnded(length);
      return undefined;
    }
    const { reader } = this;
    if (reader === undefined) {
      const bytes = this.letsGo ? shared.subarray(0, length) : Buffer.from(shared.subarray(0, length));
      this.tell(bytes, 0, length);
      return undefined;
    }
    const { window } = reader;
    this.tell(reader.whole, headroom, headroom + length);
    if (reader.window === window) reader.noteRead(length);
    return reader.window === window ? undefined : reader.window;
  }

  protected tell(bytes: Buffer, start: number, end: number): void {
    try {
      this.handler.onData(bytes, start, end);
    } catch (error) {
      this.fault(error);
    }
  }

  protected readEnded(status: number): void {
    if (this.heardEnd || this.closing) return;
    if (status !== this.options.handles.endOfFile) {
      this.fail(status, "read");
      return;
    }
    this.heardEnd = true;
    this.guard(() => this.handler.onEnd());
    // A connection that one side has ended is of no use to most; what was written before still goes out.
    if (!this.halfOpen) this.end();
    this.closeWhenDone();
  }

  write(bytes: Buffer): WriteResult {
    if (this.closing || this.ending) return sent;
    // The first write goes out at once in any case; many connections have no other.
    this.writes += 1;
    if (this.writes === 2) this.handle.setNoDelay(true);
    const { handles } = this.options;
    const result = this.handle.writeBuffer(null, bytes);
    if (typeof result === "number") {
      if (result !== 0) this.fail(result, "write");
      return sent;
    }
    const failed = handles.lastWriteError();
    if (failed !== 0) {
      this.fail(failed, "write");
      return sent;
    }
    return this.await(result, bytes);
  }

  private await(request: WriteRequest, bytes: Buffer): WriteResult {
    request.handle = this.handle;
    request.buffer = bytes;
    request.oncomplete = onWritten;
    this.pending += 1;
    this.blocked = true;
    if (request.writeStatus !== null) {
      // Over before we could listen.
      const status = request.writeStatus;
      request.writeStatus = null;
      this.pending -= 1;
      this.blocked = this.pending > 0;
      if (status < 0) this.fail(status, "write");
      return sent;
    }
    return lent;
  }

  /** What was lent has gone. */
  wrote(status: number): void {
    this.pending -= 1;
    if (this.closing) return;
    if (status < 0) {
      this.fail(status, "write");
      return;
    }
    if (this.pending > 0) return;
    this.blocked = false;
    this.guard(() => this.handler.onDrain());
  }

  pause(): void {
    if (!this.closing && !this.heardEnd) this.stream.readStop();
  }

  resume(): void {
    if (!this.closing && !this.heardEnd) this.stream.readStart();
  }

  keepReadBuffer(): void {
    this.reader?.replace();
  }

  end(): void {
    if (this.closing || this.ending) return;
    this.ending = true;
    this.shutDown();
  }

  protected shutDown(): void {
    const request = this.options.handles.createShutdownRequest();
    request.handle = this.stream;
    request.oncomplete = onShut;
    if (this.stream.shutdown(request) !== 0) this.destroy();
  }

  /** Our end has gone out. */
  wasShut(): void {
    this.shut = true;
    this.closeWhenDone();
  }

  /** Both sides have said all they had to say. */
  private closeWhenDone(): void {
    if (this.shut && this.heardEnd && this.pending === 0) this.destroy();
  }

  destroy(): void {
    if (this.closing) return;
    this.closing = true;
    this.handle.close(() => this.isGone());
  }

  protected isGone(): void {
    this.closed = true;
    this.reader?.release();
    this.guard(() => this.handler.onClose(this.error));
  }

  protected failWith(error: NodeJS.ErrnoException): void {
    this.error ??= error;
    this.destroy();
  }

  protected fail(status: number, call: string): void {
    this.failWith(errorOf(status, call));
  }

  protected guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.fault(error);
    }
  }

  /** A defect in one exchange ends its connection, not the worker and everyone else's. */
  private fault(error: unknown): void {
    this.options.onFault(error);
    this.destroy();
  }
}

export interface PlainName {
  readonly address: string;
  readonly port: number;
}

const noName: PlainName = { address: "", port: 0 };

function onRead(this: StreamHandle): Uint8Array | undefined {
  return this.owner instanceof HandleConnection ? this.owner.read() : undefined;
}

function onWritten(this: WriteRequest, status: number): void {
  if (this.handle?.owner instanceof HandleConnection) this.handle.owner.wrote(status);
}

function onShut(this: ShutdownRequest): void {
  if (this.handle?.owner instanceof HandleConnection) this.handle.owner.wasShut();
}

function errorOf(status: number, call: string): NodeJS.ErrnoException {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`${call} ${code}`), { code, errno: status, syscall: call });
}

/** Connects to addresses without TLS by handles, and everything else by `other`. */
export function createRawDialer(options: RawOptions, other: Dialer): Dialer {
  const spares: Buffer[] = [];
  return {
    connect(target, done) {
      const { address, port, halfOpen = false } = target;
      const family = target.tls ? 0 : isIP(address);
      if (family === 0) return other.connect(target, done);
      // Of requests, something may be needed after the connection has closed.
      const reader = new ReadBuffer(halfOpen ? spares : undefined);
      return connectRaw({ address, port, family, traits: { reader, halfOpen } }, done, options);
    },
  };
}

interface RawTarget {
  readonly address: string;
  readonly port: number;
  readonly family: number;
  readonly traits: HandleTraits;
}

function connectRaw(
  { address, port, family, traits }: RawTarget,
  done: (result: Connection | NodeJS.ErrnoException) => void,
  options: RawOptions,
): Connecting {
  const { handles, onFault } = options;
  const handle = handles.createTcp();
  let isOver = false;
  const finish = (status: number) => {
    if (isOver) return;
    isOver = true;
    try {
      if (status < 0) {
        handle.close(() => {});
        done(errorOf(status, "connect"));
      } else {
        done(new HandleConnection(handle, options, 0, traits));
      }
    } catch (error) {
      onFault(error);
    }
  };
  const request = handles.createConnectRequest();
  request.oncomplete = finish;
  request.address = address;
  request.port = port;
  handle.onread = () => undefined;
  const status = family === 6 ? handle.connect6(request, address, port) : handle.connect(request, address, port);
  // Whoever asks is told later in any case, so that it has our answer by then.
  if (status < 0) queueMicrotask(() => finish(status));
  return {
    cancel() {
      if (isOver) return;
      isOver = true;
      handle.close(() => {});
    },
  };
}

/** What takes the connections of a listening server before the server makes sockets of them. */
export interface RawAccept {
  readonly onFault: OnFault;
  readonly admits: () => boolean;
  /** Gets each handle. */
  readonly take: (handle: TcpHandle) => void;
  /** Whether a connection that comes now is to be a socket after all. */
  readonly leaves?: () => boolean;
}

/** Returns false when this server has no such handle; then nothing has changed. */
export function acceptRaw(server: Server, { onFault, admits, take, leaves }: RawAccept): boolean {
  const listening = (server as unknown as { _handle?: ListeningHandle })._handle;
  const usual = listening?.onconnection;
  if (listening === undefined || typeof usual !== "function") return false;
  listening.onconnection = (status, handle) => {
    // Too many files are open, for example: the connection waits in the kernel, or is gone.
    if (status !== 0 || handle === undefined) return;
    if (leaves?.() === true) {
      usual.call(listening, status, handle);
      return;
    }
    handle.onread = () => undefined;
    if (!admits()) {
      handle.close(() => {});
      return;
    }
    try {
      take(handle);
    } catch (error) {
      onFault(error);
    }
  };
  return true;
}

interface ListeningHandle {
  onconnection: ((status: number, handle: TcpHandle | undefined) => void) | undefined;
}
