/** A request that is over, as the access log tells it. Texts hold one character a byte, as they came. */
export interface Served {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly client: string;
  readonly user: string;
  /** The request line. */
  readonly method: string;
  readonly target: string;
  readonly protocol: string;
  readonly host: string;
  readonly status: number;
  /** Bytes of the bodies, without chunk framing. */
  readonly bytesSent: number;
  /** Head and body. */
  readonly requestBytes: number;
  readonly referer: string;
  readonly userAgent: string;
  /** From its head to its end. */
  readonly ms: number;
  /** The backend's id, empty when it went to none. */
  readonly backend: string;
  readonly route: string;
  /** One entry a try. */
  readonly endpoints: readonly string[];
  readonly upstreamStatus: number;
  /** Of the last try. */
  readonly upstreamMs: number;
  readonly requestId: string;
}
