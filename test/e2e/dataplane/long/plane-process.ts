import { readdirSync } from "node:fs";
import { systemClock } from "#base/clock.ts";
import { silentLog, type Log } from "#base/log.ts";
import type { TableChange } from "#dataplane/table.ts";
import { startDataplane } from "#dataplane/workers.ts";

// A data plane in a process of its own, so that its memory and its descriptors are nobody else's; told by messages.

export type ToPlane =
  | { readonly type: "apply"; readonly id: number; readonly change: TableChange }
  | { readonly type: "facts"; readonly id: number }
  | { readonly type: "stop"; readonly id: number };

/** The first argument, in JSON. */
export interface PlaneArguments {
  /** Plain and TLS; free ones when absent. */
  readonly ports?: readonly [plain: number, tls: number];
  readonly table?: TableChange;
  readonly isBeside?: boolean;
}

export interface PlaneFacts {
  readonly ports: readonly number[];
  /** Connections of clients, and requests on their way to the backends. */
  readonly clients: number;
  readonly underWay: number;
  readonly requests: number;
  readonly sockets: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Reasons of failed requests. */
  readonly failures: readonly string[];
  /** Defects of ours that ended a connection. */
  readonly faults: readonly string[];
}

const faults: string[] = [];
const log: Log = {
  ...silentLog,
  error: (fields, message) => void faults.push(`${message} ${JSON.stringify(fields)}`),
  child: () => log,
};
const minutes = 60_000;
const { ports = [0, 0], ...more } = JSON.parse(process.argv[2] ?? "{}") as PlaneArguments;
const plane = await startDataplane({
  listeners: ports.map((port, at) => ({ host: "127.0.0.1", port, tls: at === 1 })),
  workers: 2,
  log,
  clock: systemClock,
  limits: { clientIdleMs: 60 * minutes, keepAliveMs: 60 * minutes, requestsPerConnection: 1e9 },
  ...more,
});

async function facts(): Promise<PlaneFacts> {
  const { total, backends } = plane.counters();
  const { rss, heapUsed, external } = process.memoryUsage();
  return {
    ports: plane.addresses.map(({ port }) => port),
    clients: total.open,
    underWay: [...backends.values()].reduce((sum, { open }) => sum + open, 0),
    requests: total.requests,
    sockets: readdirSync("/proc/self/fd").length,
    rssBytes: rss,
    heapBytes: heapUsed + external,
    failures: (await plane.failures()).map(({ reason }) => reason),
    faults,
  };
}

process.on("message", (message: ToPlane) => {
  const answer = (result: unknown) => process.send?.({ id: message.id, result });
  if (message.type === "apply") void plane.apply(message.change).then(() => answer(undefined));
  else if (message.type === "facts") void facts().then(answer);
  else void plane.stop({ drainMs: 60_000 }).then(() => answer(undefined));
});
// Its parent has gone, or wants it to go.
process.on("disconnect", () => process.exit());
process.send?.({ id: 0, result: undefined });
