import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { placeOf } from "./counters.ts";
import { startEngine } from "./engine.ts";
import { HealthChecker } from "./health/checker.ts";
import { probe } from "./health/probe.ts";
import { StreamPorts } from "./l4/ports.ts";
import { defaultLimits } from "./limits.ts";
import { createMeterMemory, forgetWorker } from "./meter/memory.ts";
import type { DataplaneOptions, ListenerSpec, RunningDataplane } from "./running.ts";
import { SlotBook } from "./slots.ts";
import type { TableChange } from "./table.ts";
import { createLookup } from "./transport/lookup.ts";
import { probePort } from "./transport/listen.ts";
import { defaultTls } from "./tls/settings.ts";
import { WholeTable } from "./whole-table.ts";
import { WorkerPlace } from "./worker-place.ts";

export { ListenError, type DataplaneOptions, type ListenerSpec, type RunningDataplane } from "./running.ts";

/** Where the worker's module lies in the repository; a bundle gives its own as `workerUrl`. */
const workerUrl = new URL("./worker.ts", import.meta.url);

/**
 * Starts the HTTP data plane. Rejects with `ListenError` (with `code` and `listener`) when a port
 * cannot be had; nothing is left running then.
 */
export async function startDataplane(options: DataplaneOptions): Promise<RunningDataplane> {
  const workers = options.workers ?? availableParallelism();
  const first = firstOf(options);
  const running = await (workers === 0 ? startInThread(first) : startThreads(first, workers));
  // It is served already; now the health checks and the ports of its streams begin.
  if (options.table !== undefined) await running.apply(options.table);
  return running;
}

/** Streams get their ports one by one, each tried first; except beside another data plane, which has them all. */
function firstOf(options: DataplaneOptions): DataplaneOptions {
  if (options.table === undefined || options.isBeside === true) return options;
  const { streams: _, ...table } = options.table;
  return { ...options, table };
}

/** Asks endpoints how they are, for all workers; what it finds out goes the way of any change. */
function startChecker(
  { clock, log, nameServers }: DataplaneOptions,
  apply: (change: TableChange) => Promise<void>,
): HealthChecker {
  const changed = (change: TableChange) => void apply(change);
  return new HealthChecker({ clock, log, lookup: createLookup(nameServers), probe, random: Math.random, changed });
}

async function startInThread(options: DataplaneOptions): Promise<RunningDataplane> {
  const book = new SlotBook(1);
  const table = new WholeTable(book);
  const slotAt = (slot: number) => {
    const { page, offset } = placeOf(slot);
    const values = book.pages[0]?.[page];
    if (values === undefined) throw new Error(`counter slot ${slot} lies on no page`);
    return { page: values, offset };
  };
  const engine = await startEngine({
    listeners: options.listeners,
    shared: false,
    worker: 0,
    limits: { ...defaultLimits, ...options.limits },
    trustedProxies: options.trustedProxies ?? [],
    nameServers: options.nameServers ?? [],
    proxyProtocol: options.proxyProtocol ?? defaultProxyProtocol,
    tls: options.tls ?? defaultTls,
    accessLog: options.accessLog,
    sampling: options.tracing?.sampling,
    passSpans: options.tracing?.export ?? (() => {}),
    meter: createMeterMemory(1, randomBytes(16).toString("hex")),
    http2: options.http2 ?? true,
    transport: options.transport,
    total: slotAt(0),
    slotOf: (id) => slotAt(book.slotOf(id)),
    first: options.table === undefined ? undefined : table.apply(options.table).change,
    clock: options.clock,
    log: options.log,
  });
  const pass = (change: TableChange) => {
    const numbered = table.apply(change);
    const listens = engine.apply(numbered.change);
    book.settle(numbered.number);
    return listens;
  };
  const checker = startChecker(options, pass);
  const { apply, refusedStreams, stopPorts } = portsOf(options, (change) => pass(checker.mark(change)));
  return {
    addresses: engine.addresses,
    apply,
    refusedStreams,
    counters: () => book.snapshot(),
    failures: () => Promise.resolve(engine.failures()),
    sample: () => Promise.resolve(engine.sample()),
    stop({ drainMs }) {
      checker.stop();
      stopPorts();
      return engine.stop(drainMs);
    },
  };
}

/** As ingress-nginx has it: who is asked for a PROXY header is believed, unless `proxy-real-ip-cidr` says otherwise. */
const defaultProxyProtocol = { isRequired: false, from: ["0.0.0.0/0", "::/0"] };

/** Lets changes pass in order, without the streams whose port is somebody else's. */
function portsOf(
  { listeners, clock, table }: DataplaneOptions,
  pass: (change: TableChange) => Promise<void>,
): {
  readonly apply: (change: TableChange) => Promise<void>;
  readonly refusedStreams: () => ReadonlyMap<string, string>;
  readonly stopPorts: () => void;
} {
  let revision = "";
  /** What waits for its ports; all that comes later waits behind it. */
  let waiting: Promise<void> | undefined;
  const nothing = { hosts: [], backends: [], certificates: [] };
  const ports = new StreamPorts({
    host: listeners[0]?.host ?? "0.0.0.0",
    clock,
    taken: table?.streams?.map(([id]) => id) ?? [],
    release: (streams) => void pass({ ...nothing, streams, revision }),
  });
  return {
    apply(change) {
      ({ revision } = change);
      if (waiting === undefined && change.streams === undefined) return pass(change);
      const before = waiting ?? Promise.resolve();
      const done: Promise<void> = before
        .catch(() => {})
        .then(() => ports.admit(change))
        .then(pass)
        .finally(() => {
          if (waiting === done) waiting = undefined;
        });
      waiting = done;
      return done;
    },
    refusedStreams: () => ports.refused(),
    stopPorts: () => ports.stop(),
  };
}

/** A running data plane whose threads can be ended, for tests of their replacement. */
export interface ThreadedDataplane extends RunningDataplane {
  readonly places: readonly WorkerPlace[];
}

async function startThreads(options: DataplaneOptions, workers: number): Promise<ThreadedDataplane> {
  const { clock, log } = options;
  const book = new SlotBook(workers);
  const table = new WholeTable(book);
  const listeners: ListenerSpec[] = [];
  for (const spec of options.listeners) listeners.push(options.isBeside === true ? spec : await probePort(spec));
  if (options.table !== undefined) table.apply(options.table);
  const ticketKeys = randomBytes(48);
  const meter = createMeterMemory(workers, randomBytes(16).toString("hex"));
  const places = book.pages.map(
    (pages, worker) =>
      new WorkerPlace({
        url: options.workerUrl ?? workerUrl,
        clock,
        log: log.child({ worker }),
        whole: () => table.whole(),
        passSpans: options.tracing?.export ?? (() => {}),
        died() {
          book.closeAll(worker);
          forgetWorker(meter, worker);
        },
        data: {
          listeners,
          worker,
          limits: { ...defaultLimits, ...options.limits },
          trustedProxies: options.trustedProxies ?? [],
          nameServers: options.nameServers ?? [],
          proxyProtocol: options.proxyProtocol ?? defaultProxyProtocol,
          tls: options.tls ?? defaultTls,
          http2: options.http2 ?? true,
          transport: options.transport,
          ticketKeys,
          meter,
          accessLog: options.accessLog,
          sampling: options.tracing?.sampling,
          pages,
        },
      }),
  );
  const started = await Promise.allSettled(places.map((place) => place.start()));
  const refused = started.find((result) => result.status === "rejected");
  if (refused !== undefined) {
    await Promise.all(places.map((place) => place.stop(0)));
    throw refused.reason as Error;
  }
  const pass = async (change: TableChange) => {
    const numbered = table.apply(change);
    await Promise.all(places.map((place) => place.apply(numbered)));
    book.settle(numbered.number);
  };
  const checker = startChecker(options, pass);
  const { apply, refusedStreams, stopPorts } = portsOf(options, (change) => pass(checker.mark(change)));
  return {
    places,
    addresses: listeners,
    apply,
    refusedStreams,
    counters: () => book.snapshot(),
    failures: async () => {
      const lists = await Promise.all(places.map((place) => place.look()));
      return lists.flatMap(({ failures }) => failures).sort((a, b) => a.at - b.at);
    },
    sample: async () => {
      const lists = await Promise.all(places.map((place) => place.look()));
      return lists.flatMap(({ sample }) => sample).sort((a, b) => a.at - b.at);
    },
    stop: async ({ drainMs }) => {
      checker.stop();
      stopPorts();
      await Promise.all(places.map((place) => place.stop(drainMs)));
    },
  };
}
