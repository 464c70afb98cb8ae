import type { Duplex } from "node:stream";
import type { Admission, UserInfo } from "#api/admission.ts";
import type { KindDefinition } from "#api/kind.ts";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Client } from "#client/contract.ts";
import type { Store } from "#store/contract.ts";
import type { Certificates } from "./certificates.ts";
import type { Registry } from "./registry/registry.ts";

export interface ApiServerOptions {
  store: Store;
  certificates: Pick<Certificates, "ca" | "server">;
  /** Where to listen; port 0 picks a free one. */
  listen: readonly ListenAddress[];
  /** Every kind of `api/kinds.ts` by default. */
  kinds?: readonly KindDefinition[];
  /** In the order they run. */
  admissions?: readonly Admission[];
  /** Static bearer tokens; see `parseTokenFile`. */
  tokens?: readonly StaticToken[];
  /** A stream to the agent that runs the node's pods, for logs, exec, attach and port-forward. */
  connectNode?: (nodeName: string) => Promise<Duplex>;
  clock?: Clock;
  log?: Log;
}

export interface ListenAddress {
  host: string;
  port: number;
}

export interface StaticToken {
  readonly token: string;
  readonly user: UserInfo;
}

export interface RunningApiServer {
  readonly registry: Registry;
  /** Where it listens, with the real ports. */
  addresses(): readonly ListenAddress[];
  /** Opens one more door, e.g. when the uplink's address appears; answers the real address. */
  addListener(address: ListenAddress): Promise<ListenAddress>;
  localClient(user: UserInfo): Client;
  /** Ends watches, waits for running requests (5 s at most), closes the doors. The store stays open. */
  stop(): Promise<void>;
}

/** Starts the API server over a store. Resolves when every address listens. */
export function startApiServer(_options: ApiServerOptions): Promise<RunningApiServer> {
  throw new Error("being built");
}
