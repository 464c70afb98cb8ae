import type { SecureContext } from "node:tls";
import { lent, sent, type Connection, type TlsPeer, type WriteResult } from "./connection.ts";
import type { ClientWish, StreamHandle, TcpHandle, TlsHandle, WriteRequest } from "./handles.ts";
import { HandleConnection, type RawOptions } from "./raw.ts";

/** What TLS takes in one write; of more, the rest waits until that has gone, as it keeps its own copy. */
const mostAtOnce = 64 * 1024;

/** How TLS is begun with a client. */
export interface TlsStart {
  /** For clients that name no server; the keys of sessions are its, whatever certificate is shown. */
  readonly context: SecureContext;
  /** As TLS writes them: each protocol behind its length. */
  readonly protocols: Uint8Array;
  /** The certificate for a server name, if it is another one. */
  readonly contextOf: (serverName: string) => SecureContext | undefined;
  /** The OCSP response for the certificate that a client of this server name gets, if there is one. */
  readonly stapleOf: (serverName: string) => Uint8Array | undefined;
}

export interface ShakeOptions extends RawOptions {
  readonly localPort: number;
  readonly start: TlsStart;
  /** What was read before, if anything was. */
  readonly seen?: Buffer | undefined;
}

/**
 * Takes a client's handle over and begins the handshake. `shaken` is called once, when that is over, and has to set a
 * handler; not at all when the connection closes before. Until then the connection is what is returned, and tells its
 * handler of nothing but the end.
 */
export function shakeHands(
  handle: TcpHandle,
  options: ShakeOptions,
  shaken: (connection: Connection) => void,
): Connection {
  return new TlsHandleConnection(handle, options, shaken);
}

/** A client's connection over Node's own TLS handle, without the streams that `node:tls` puts around it. */
class TlsHandleConnection extends HandleConnection {
  override readonly tls = true;
  private readonly start: TlsStart;
  private readonly shaken: (connection: Connection) => void;
  private readonly secure: TlsHandle;
  private isShaken = false;
  /** The server that the client named. */
  private wanted = "";
  /** The last write, which TLS may still be busy with. */
  private flight: WriteRequest | undefined;
  /** What waits for it. */
  private readonly queue: Buffer[] = [];
  /** `wrote` will be called. */
  private isAwaited = false;
  private paused = false;
  /** What was decrypted while nothing was to be told; TLS hands out all that it has. */
  private held: Buffer[] | undefined;
  /** How the peer's side ended meanwhile. */
  private heldEnd = 0;
  private toldLater = false;

  constructor(handle: TcpHandle, options: ShakeOptions, shaken: (connection: Connection) => void) {
    const { localPort, start } = options;
    const secure = options.handles.createTls(handle, start.context);
    super(handle, options, localPort, { stream: secure });
    this.start = start;
    this.shaken = shaken;
    this.secure = secure;
    // Several small messages go out one after the other, and nobody waits for another.
    handle.setNoDelay(true);
    secure.onhandshakestart = onHandshakeStart;
    secure.onhandshakedone = onHandshakeDone;
    secure.oncertcb = onWish;
    secure["onerror"] = onError;
    secure.setALPNProtocols(start.protocols);
    secure.enableCertCb();
    const { seen } = options;
    // Later, when there is a handler.
    if (seen !== undefined) process.nextTick(() => this.closing || secure.receive(seen));
  }

  get peer(): TlsPeer {
    return { serverName: this.wanted.toLowerCase().replace(/\.$/, "") };
  }

  /** The client said whom it wants, in the midst of the handshake. */
  choose({ servername, OCSPRequest }: ClientWish): void {
    const { start, secure } = this;
    // What is thrown here ends this connection; Node would end the worker.
    this.guard(() => {
      if (typeof servername === "string" && servername !== "") {
        this.wanted = servername;
        const chosen = start.contextOf(servername);
        if (chosen !== undefined) secure.sni_context = chosen.context;
      }
      const staple = OCSPRequest === true ? start.stapleOf(this.wanted) : undefined;
      if (staple !== undefined) secure.setOCSPResponse(staple);
      secure.certCbDone();
    });
  }

  /** The handshake is over. */
  settle(): void {
    if (this.isShaken || this.closing) return;
    this.isShaken = true;
    this.http2 = this.secure.getALPNNegotiatedProtocol() === "h2";
    this.guard(() => this.shaken(this));
  }

  broken(error: NodeJS.ErrnoException): void {
    this.failWith(error);
  }

  protected override tell(bytes: Buffer, start: number, end: number): void {
    // Bytes in shared memory are another's after this call.
    if (this.paused || this.held !== undefined) (this.held ??= []).push(Buffer.from(bytes.subarray(start, end)));
    else super.tell(bytes, start, end);
  }

  protected override readEnded(status: number): void {
    if (this.held === undefined && !this.paused) super.readEnded(status);
    else if (this.heldEnd === 0) this.heldEnd = status;
  }

  override pause(): void {
    this.paused = true;
    super.pause();
  }

  override resume(): void {
    this.paused = false;
    if (this.held === undefined && this.heldEnd === 0) super.resume();
    else if (!this.toldLater) {
      this.toldLater = true;
      process.nextTick(() => this.tellHeld());
    }
  }

  private tellHeld(): void {
    this.toldLater = false;
    while (this.held !== undefined) {
      if (this.paused || this.closing) return;
      const bytes = this.held.shift();
      if (this.held.length === 0) this.held = undefined;
      if (bytes !== undefined) super.tell(bytes, 0, bytes.length);
    }
    if (this.paused || this.closing) return;
    const status = this.heldEnd;
    this.heldEnd = 0;
    if (status === 0) super.resume();
    else super.readEnded(status);
  }

  override write(bytes: Buffer): WriteResult {
    // A write of nothing makes TLS look for something to read, in the midst of whatever is being told.
    if (this.closing || this.ending) return sent;
    if (bytes.length === 0) return this.blocked ? lent : sent;
    const isWhole = bytes.length <= mostAtOnce;
    if (this.isFree()) {
      this.encrypt(isWhole ? bytes : bytes.subarray(0, mostAtOnce));
      // TLS has its own copy; what the kernel has not taken of that is waited for, so that it does not become more.
      if (this.closing || (isWhole && this.handle.writeQueueSize === 0)) return sent;
      if (!isWhole) this.queue.push(bytes.subarray(mostAtOnce));
    } else this.queue.push(bytes);
    this.blocked = true;
    this.awaitFlight();
    return lent;
  }

  /** Whether TLS takes a write. */
  private isFree(): boolean {
    const { flight } = this;
    if (this.isAwaited || flight?.writeStatus === null) return false;
    if (flight !== undefined) this.landed(flight.writeStatus);
    return !this.closing;
  }

  private landed(status: number): void {
    this.flight = undefined;
    if (status < 0) this.fail(status, "write");
  }

  private encrypt(bytes: Buffer): void {
    const result = this.stream.writeBuffer(null, bytes);
    if (typeof result === "number") {
      if (result !== 0) this.fail(result, "write");
      return;
    }
    const failed = this.options.handles.lastWriteError();
    if (failed === 0) this.flight = result;
    else this.fail(failed, "write");
  }

  /** Has itself told when the write that is under way has gone. Nobody is told without need: that costs a call. */
  private awaitFlight(): void {
    const { flight } = this;
    if (this.closing || this.isAwaited) return;
    this.isAwaited = true;
    if (flight === undefined || flight.writeStatus !== null) {
      // Told later in any case.
      process.nextTick(() => this.wrote(flight?.writeStatus ?? 0));
      return;
    }
    flight.handle = this.stream;
    flight.oncomplete = onLanded;
  }

  override wrote(status: number): void {
    this.isAwaited = false;
    if (this.closing) return;
    this.landed(status);
    if (this.closing) return;
    const next = this.queue.shift();
    if (next !== undefined) {
      if (next.length > mostAtOnce) this.queue.unshift(next.subarray(mostAtOnce));
      this.encrypt(next.length > mostAtOnce ? next.subarray(0, mostAtOnce) : next);
      this.awaitFlight();
      return;
    }
    this.blocked = false;
    if (this.ending) this.shutDown();
    else this.guard(() => this.handler.onDrain());
  }

  /** The farewell of TLS goes out behind what was written. */
  protected override shutDown(): void {
    if (this.isFree()) super.shutDown();
    else this.awaitFlight();
  }

  protected override isGone(): void {
    this.secure.destroySSL();
    super.isGone();
  }
}

function ownerOf(handle: StreamHandle | undefined): TlsHandleConnection | undefined {
  return handle?.owner instanceof TlsHandleConnection ? handle.owner : undefined;
}

/** Node counts renegotiations of TLS 1.2 here; ours are refused by OpenSSL (`secureOptionsOf`). */
function onHandshakeStart(): void {}

function onHandshakeDone(this: TlsHandle): void {
  ownerOf(this)?.settle();
}

function onWish(this: TlsHandle, wish: ClientWish): void {
  ownerOf(this)?.choose(wish);
}

function onError(this: TlsHandle, error: NodeJS.ErrnoException): void {
  ownerOf(this)?.broken(error);
}

function onLanded(this: WriteRequest, status: number): void {
  ownerOf(this.handle)?.wrote(status);
}
