import { readFileSync } from "node:fs";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import type { HostEntry } from "#dataplane/table.ts";
import { startDataplane } from "#dataplane/workers.ts";
import { hostOf } from "./loads.ts";

/** The first argument, in JSON. */
export interface ServeArguments {
  readonly http: number;
  readonly tls: number;
  readonly endpoint: number;
  /** PEM files. */
  readonly key: string;
  readonly cert: string;
  readonly accessLog?: string;
  /** How many hosts there are rules for; one rule for all of them when it is 1. */
  readonly hosts: number;
}

// One worker in front of one endpoint, until it is ended.
const options = JSON.parse(process.argv[2] ?? "{}") as ServeArguments;

function hostEntry(name: string): readonly [string, HostEntry] {
  const route = {
    id: `bench ${name}`,
    match: { type: "prefix", path: "/" },
    filters: [],
    target: { type: "backend", backend: "bench" },
    timeouts: { connectMs: 5000, readMs: 60_000, sendMs: 60_000 },
    maxBodyBytes: 1 << 20,
  } as const;
  return [name, { name, routes: [route] }];
}

const names = options.hosts === 1 ? ["*"] : Array.from({ length: options.hosts }, (_, at) => hostOf(at));
const endpoints = [{ address: "127.0.0.1", port: options.endpoint }];
const pem = (path: string) => readFileSync(path, "utf8");
await startDataplane({
  listeners: [
    { host: "127.0.0.1", port: options.http, tls: false },
    { host: "127.0.0.1", port: options.tls, tls: true },
  ],
  workers: 1,
  log: silentLog,
  clock: systemClock,
  ...(options.accessLog === undefined ? {} : { accessLog: { path: options.accessLog, format: "line" } as const }),
  // The others run with a keep-alive limit out of reach too.
  limits: { requestsPerConnection: 1e9 },
  table: {
    hosts: names.map(hostEntry),
    backends: [["bench", { id: "bench", protocol: "http", balance: "round-robin", endpoints }]],
    certificates: [["bench", { id: "bench", cert: pem(options.cert), key: pem(options.key) }]],
    defaultCertificate: "bench",
    revision: "1",
  },
});
process.stdout.write("ready\n");
