/** What a client or an endpoint may use up. Times in milliseconds, sizes in bytes. */
export interface Limits {
  /** From the first byte a connection waits for until the request head is whole; also the TLS handshake. */
  readonly headerMs: number;
  /** Between two reads of a request body from the client, and between two writes to a client that does not read. */
  readonly clientIdleMs: number;
  /** An idle connection of a client is kept this long. */
  readonly keepAliveMs: number;
  /** Requests on one connection, then it is closed. */
  readonly requestsPerConnection: number;
  /** Connections a worker holds; further ones are closed at once. */
  readonly connections: number;
  /** Idle connections kept to one endpoint, and for how long: shorter than what common servers allow. */
  readonly upstreamIdle: number;
  readonly upstreamIdleMs: number;
  /** How long an endpoint that refused a connection is passed over while others are there. */
  readonly endpointSkipMs: number;
  /** How long and how many bytes of an unwanted request body are read after the answer, so that it arrives. */
  readonly lingerMs: number;
  readonly lingerBytes: number;
  /** Requests under way at once on one HTTP/2 connection. */
  readonly http2Streams: number;
  /** Requests a client may take back before their answer: at once, and in a second for good (CVE-2023-44487). */
  readonly http2Resets: number;
  readonly http2ResetsPerSecond: number;
  /** How long an HTTP/2 endpoint that left a request without an answer may be silent on the whole connection. */
  readonly http2ProbeMs: number;
  /** How long a connection that has to begin with a PROXY header, or a TLS greeting that is looked into, may take for it. */
  readonly greetingMs: number;
  /** Sessions of one UDP port that a worker holds; the one that was silent longest makes room. */
  readonly datagramSessions: number;
  /** Datagrams of a session that wait until its endpoint's name is resolved. */
  readonly datagramsHeld: number;
  /** What bodies of requests that are read whole before an endpoint is asked may take of a worker's disk. */
  readonly spoolBytes: number;
  /** How fine deadlines are. */
  readonly tickMs: number;
}

/** As nginx under ingress-nginx has them where it has them. */
export const defaultLimits: Limits = {
  headerMs: 60_000,
  clientIdleMs: 60_000,
  keepAliveMs: 75_000,
  requestsPerConnection: 1000,
  connections: 16_384,
  upstreamIdle: 320,
  upstreamIdleMs: 55_000,
  endpointSkipMs: 2_000,
  lingerMs: 5_000,
  lingerBytes: 1 << 20,
  http2Streams: 128,
  http2Resets: 500,
  http2ResetsPerSecond: 50,
  http2ProbeMs: 5_000,
  greetingMs: 5_000,
  datagramSessions: 4096,
  datagramsHeld: 16,
  spoolBytes: 4 * 1024 ** 3,
  tickMs: 250,
};
