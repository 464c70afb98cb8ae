import type { Forwarding } from "../forwarded.ts";
import type { TlsPeer } from "../transport/connection.ts";

/** A request whose head was read and found good. */
export interface ClientRequest {
  /** The bytes of the head, which nobody changes: it is read again for every further try. A copy may take their place. */
  bytes: Buffer;
  readonly headStart: number;
  readonly headEnd: number;
  readonly method: string;
  readonly toHead: boolean;
  /** What the client speaks; a request of HTTP/2 has its head here in the words of HTTP/1.1. */
  readonly major: 1 | 2;
  /** 0 or 1. */
  readonly minor: number;
  /** As `requestFraming` says it. */
  readonly framing: number;
  /** The Host field as it came, or empty. */
  readonly host: string;
  /** Path and query as they came, one character a byte. */
  readonly target: string;
  /** The client asks for another protocol on this connection. */
  readonly upgrade: boolean;
  /** The client waits for 100 before it sends the body. */
  readonly expectsContinue: boolean;
  /** The client's connection to us is TLS, whatever a trusted proxy says of its own. */
  readonly encrypted: boolean;
  /** What the client showed in the TLS handshake. */
  readonly peer: TlsPeer | undefined;
  readonly forwarding: Forwarding;
  /** The id that it was given here, the same at each try; absent while it has none, or has one of its own. */
  requestId?: string | undefined;
}
