import type { Proxied } from "#wire/proxy-protocol.ts";

/** What became of the bytes of a write: nobody needs them any more. (TLS has a copy of its own, which `destroy` drops.) */
export const sent = 0;
/**
 * The bytes are still needed: the caller must neither change nor reuse them, and stops producing, until `onDrain`.
 * Errors are told by `onClose`; a write to a closed connection counts as sent.
 */
export const lent = 1;

export type WriteResult = typeof sent | typeof lent;

/**
 * A stream of bytes to a client or an endpoint. Two implementations can stand behind it (public Node APIs; raw handles);
 * what is promised here is what both keep.
 */
export interface Connection {
  /** Who is told what happens; can be replaced between two calls. */
  handler: ConnectionHandler;
  readonly tls: boolean;
  /** The peers agreed on HTTP/2 in the TLS handshake (ALPN). */
  readonly http2: boolean;
  /** The peer's address and port; our own port where we listened, else 0. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  /** Whom a proxy in front speaks for by the PROXY protocol: the addresses above are what it says. */
  readonly proxied?: Proxied | undefined;
  /** What the client showed in the TLS handshake; absent without TLS. */
  readonly peer?: TlsPeer | undefined;
  write(bytes: Buffer): WriteResult;
  /** Whether bytes are lent out. */
  readonly blocked: boolean;
  readonly closed: boolean;
  /** No `onData` until `resume`. */
  pause(): void;
  resume(): void;
  /** Inside `onData`: its bytes stay untouched after it returned; the connection reads elsewhere from now on. */
  keepReadBuffer(): void;
  /**
   * On connections that were accepted: set while the handler keeps nothing of what `onData` tells. Only then may the
   * bytes be read over when it has returned; else they stay as they are.
   */
  letsGo: boolean;
  /** Sends FIN after what was written. */
  end(): void;
  /** Closes at once; `onClose` follows. */
  destroy(): void;
}

/** The client of a TLS connection. */
export interface TlsPeer {
  /** The server that it asked for, in lower case; empty when it named none. */
  readonly serverName: string;
  /** By which rules its certificate was asked for and checked (`ClientAuth.id`); absent when it was not asked. */
  readonly checkedBy?: string | undefined;
  readonly certificate?: ClientCertificate | undefined;
}

export interface ClientCertificate {
  /** Why it is not trusted, as OpenSSL calls it (`CERT_HAS_EXPIRED`). */
  readonly problem: string | undefined;
  /** Distinguished names as RFC 2253 writes them. */
  readonly subject: string;
  readonly issuer: string;
  readonly pem: string;
}

export interface ConnectionHandler {
  /** `bytes[start..end]` hold what came; valid until the call returns. Up to `headroom` bytes in front of `start` may be
   * overwritten. */
  onData(bytes: Buffer, start: number, end: number): void;
  /** The peer will send no more. */
  onEnd(): void;
  onDrain(): void;
  /** Once, last. */
  onClose(error: NodeJS.ErrnoException | undefined): void;
}

/** How many bytes before the data of an endpoint's connection are free to be written over. */
export const headroom = 4096;

/** A connection that is being made to an endpoint. */
export interface Connecting {
  /** Gives up; nothing is called afterwards. */
  cancel(): void;
}

export interface DialTarget {
  readonly address: string;
  readonly port: number;
  readonly tls: boolean;
  /** The name to ask for in TLS. */
  readonly serverName?: string;
  /** HTTP/2 is spoken, and asked for in the TLS handshake. */
  readonly http2: boolean;
  /** The endpoint may end its side and go on reading (TCP half-close); else its end ends ours. */
  readonly halfOpen?: boolean;
}

/** The way to endpoints, injected so that another transport can take its place. */
export interface Dialer {
  connect(target: DialTarget, done: (result: Connection | NodeJS.ErrnoException) => void): Connecting;
}
