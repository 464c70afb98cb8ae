import type { Client } from "./contract.ts";

/** How to reach an API server and prove who is asking. */
export interface ConnectionOptions {
  /** `https://127.0.0.1:6443` */
  server: string;
  /** PEM; the system's authorities by default. */
  ca?: string;
  cert?: string;
  key?: string;
  token?: string;
  /** Called before each request where the token may be renewed on disk; wins over `token`. */
  tokenSource?: () => string;
  /** The name the server's certificate is checked against, where it differs from the host. */
  tlsServerName?: string;
  insecureSkipTlsVerify?: boolean;
  /** `fairlead-agent` or the like: User-Agent and field manager. */
  name?: string;
}

export interface RemoteClient extends Client {
  /** Ends watches and drops idle connections. */
  close(): void;
}

/** The client contract over HTTPS. */
export function createRemoteClient(_options: ConnectionOptions): RemoteClient {
  throw new Error("being built");
}
