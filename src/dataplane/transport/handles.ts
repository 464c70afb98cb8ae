import type { SecureContext } from "node:tls";

/**
 * The part of Node's own handles that `raw.ts` and `raw-tls.ts` use, as `node:net` and `node:tls` use them in the Node that
 * this program is run by (lib/net.js, lib/internal/tls/wrap.js and lib/internal/stream_base_commons.js of v26). They are no
 * public API: `raw-check.ts` finds out at the start whether they still do what is written here.
 */
export interface StreamHandle {
  /** Set by us: called with `this` as the handle; what it returns is read into from then on. */
  onread: (this: StreamHandle) => Uint8Array | undefined;
  /** Ours: keeps the connection, and with it the memory that is read into, from being collected. */
  owner?: unknown;
  /** Where reads go; only the address is kept, so somebody has to keep the memory. Once, before reading. */
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  /** 0 when all was taken, an error number, or what is still to be written. */
  writeBuffer(request: null, bytes: Uint8Array): number | WriteRequest;
  shutdown(request: ShutdownRequest): number;
}

export interface TcpHandle extends StreamHandle {
  connect(request: ConnectRequest, address: string, port: number): number;
  connect6(request: ConnectRequest, address: string, port: number): number;
  setNoDelay(isOn: boolean): number;
  getpeername(out: { address?: string; port?: number }): number;
  getsockname(out: { address?: string; port?: number }): number;
  /** Bytes that the kernel has not taken yet. */
  readonly writeQueueSize: number;
  close(done: () => void): void;
}

/**
 * TLS over a TCP handle, which tells it what comes and takes what it sends. Nothing keeps it from being collected but what
 * refers to it. One write may be under way at a time; what is written is encrypted before the call returns.
 */
export interface TlsHandle extends StreamHandle {
  onhandshakestart: (this: TlsHandle) => void;
  onhandshakedone: (this: TlsHandle) => void;
  /** The client has said whom it wants: the handshake waits for `certCbDone`. */
  oncertcb: (this: TlsHandle, hello: ClientWish) => void;
  onerror: (this: TlsHandle, error: NodeJS.ErrnoException) => void;
  onclienthello?: () => void;
  onnewsession?: () => void;
  /** Set in `oncertcb`: the certificate to show in place of the first one. */
  sni_context?: unknown;
  enableCertCb(): void;
  certCbDone(): void;
  setOCSPResponse(response: Uint8Array): void;
  setALPNProtocols(protocols: Uint8Array): void;
  getALPNNegotiatedProtocol(): string | false;
  destroySSL(): void;
}

export interface ClientWish {
  /** The server that it names. */
  readonly servername?: string | false | null;
  readonly OCSPRequest?: boolean;
}

export interface WriteRequest {
  handle?: StreamHandle;
  /** Keeps what is written from being collected. */
  buffer?: Uint8Array;
  oncomplete?: (this: never, status: number) => void;
  /** Set when it was over before anybody could listen. */
  writeStatus: number | null;
}

export interface ShutdownRequest {
  handle?: StreamHandle;
  oncomplete?: (this: never, status: number) => void;
}

export interface ConnectRequest {
  oncomplete?: (this: never, status: number) => void;
  address?: string;
  port?: number;
}

export interface Handles {
  createTcp(): TcpHandle;
  /** TLS of a server over a connection; reads from it when it is told to. */
  createTls(handle: TcpHandle, context: SecureContext): TlsHandle;
  createConnectRequest(): ConnectRequest;
  createShutdownRequest(): ShutdownRequest;
  /** What the last read brought: bytes, or an error number. */
  readonly lastRead: () => number;
  /** Why the last write could not even be begun; 0 when it was. */
  readonly lastWriteError: () => number;
  readonly endOfFile: number;
}

interface Bindings {
  readonly tcp: {
    readonly TCP: new (type: number) => TcpHandle;
    readonly TCPConnectWrap: new () => ConnectRequest;
    readonly constants: { readonly SOCKET: number };
  };
  readonly stream: {
    readonly ShutdownWrap: new () => ShutdownRequest;
    readonly streamBaseState: Int32Array;
    readonly kReadBytesOrError: number;
    readonly kLastWriteErr: number;
  };
  readonly tls: {
    readonly wrap: (handle: TcpHandle, context: unknown, isServer: boolean, isWriting: boolean) => TlsHandle;
  };
  readonly uv: { readonly UV_EOF: number };
}

/** The handles of this Node, `undefined` where they are not to be had. */
export function loadHandles(): Handles | undefined {
  const bindings = loadBindings();
  if (bindings === undefined) return undefined;
  const { tcp, stream, tls, uv } = bindings;
  const { streamBaseState, kReadBytesOrError, kLastWriteErr } = stream;
  return {
    createTcp: () => new tcp.TCP(tcp.constants.SOCKET),
    createTls: (handle, { context }) => tls.wrap(handle, context, true, false),
    createConnectRequest: () => new tcp.TCPConnectWrap(),
    createShutdownRequest: () => new stream.ShutdownWrap(),
    lastRead: () => streamBaseState[kReadBytesOrError] ?? 0,
    lastWriteError: () => streamBaseState[kLastWriteErr] ?? 0,
    endOfFile: uv.UV_EOF,
  };
}

function loadBindings(): Bindings | undefined {
  try {
    // Deprecated in the documentation (DEP0111), and what `node:net` is made of.
    const binding = (name: string) => (process as unknown as { binding(name: string): unknown }).binding(name);
    const bindings = {
      tcp: binding("tcp_wrap"),
      stream: binding("stream_wrap"),
      tls: binding("tls_wrap"),
      uv: binding("uv"),
    } as Bindings;
    const { tcp, stream, tls, uv } = bindings;
    const isComplete =
      typeof tcp.TCP === "function" &&
      typeof tcp.TCPConnectWrap === "function" &&
      typeof tcp.constants.SOCKET === "number" &&
      typeof stream.ShutdownWrap === "function" &&
      stream.streamBaseState instanceof Int32Array &&
      typeof stream.kReadBytesOrError === "number" &&
      typeof stream.kLastWriteErr === "number" &&
      typeof tls.wrap === "function" &&
      typeof uv.UV_EOF === "number";
    return isComplete ? bindings : undefined;
  } catch {
    return undefined;
  }
}
