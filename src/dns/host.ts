import { workerEnv } from "#base/worker-env.ts";
import { Worker } from "node:worker_threads";
import { createBackoff } from "#base/backoff.ts";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { NameDiff, NameTable } from "#routing/names/table.ts";
import type { ListenAddress, Upstream } from "./contract.ts";
import type { FromWorker, ToWorker, WorkerData } from "./link.ts";
import type { DnsCounters } from "./metrics.ts";
import { createDnsServer, type ServerSettings } from "./server.ts";

/** A DNS server, wherever it runs. */
export interface ServerHost {
  /** Hands over a difference; `applied` tells when answers show it. */
  apply(diff: NameDiff): void;
  listen(at: ListenAddress): Promise<ListenAddress>;
  setUpstreams(upstreams: readonly Upstream[]): void;
  counters(): Promise<DnsCounters>;
  stop(): Promise<void>;
}

export interface HostOptions {
  readonly settings: ServerSettings;
  readonly log: Log;
  readonly clock: Clock;
  readonly applied: (revision: string) => void;
  /** All names now, for a worker that starts anew; `undefined` before the first difference. */
  readonly whole: () => NameTable | undefined;
}

/** On this thread. */
export function hostHere({ settings, log, clock, applied }: HostOptions): ServerHost {
  const server = createDnsServer(settings, { log, clock });
  return {
    apply(diff) {
      server.apply(diff);
      applied(diff.revision);
    },
    listen: (at) => server.listen(at),
    setUpstreams: (upstreams) => server.setUpstreams(upstreams),
    counters: async () => server.counters(),
    stop: () => server.stop(),
  };
}

interface Request {
  resolve(value: ListenAddress | DnsCounters | undefined): void;
  reject(error: Error): void;
}

/** A worker that ran this long has recovered: the next failure waits only briefly again. */
const healthyAfter = 10_000;

/** In a worker thread. One that dies is started again, with its listeners and all names. */
export function hostInWorker(options: HostOptions & { readonly url: URL }): ServerHost {
  const { log, clock, applied, whole, url } = options;
  let { settings } = options;
  const requests = new Map<number, Request>();
  const listening: ListenAddress[] = [];
  const backoff = createBackoff({ base: 50, limit: 5_000 });
  let last = 0;
  let stopped = false;
  let cancelRestart: (() => void) | undefined;
  let worker: Worker | undefined = start();

  function start(): Worker {
    const data: WorkerData = { settings };
    const started = new Worker(url, { workerData: data, env: workerEnv(), name: "dns" });
    const cancelHealthy = clock.after(healthyAfter, () => backoff.reset());
    started.on("message", hear);
    started.on("error", (error) => log.error({ error: String(error) }, "the DNS worker failed"));
    started.on("exit", (code) => {
      cancelHealthy();
      worker = undefined;
      for (const request of requests.values()) request.reject(new Error("the DNS worker ended"));
      requests.clear();
      if (stopped) return;
      log.error({ code }, "the DNS worker ended; starting it again");
      cancelRestart = clock.after(backoff.next(), restart);
    });
    return started;
  }

  function restart(): void {
    worker = start();
    const table = whole();
    if (table !== undefined) apply({ ...table, names: [...table.names], reverse: [...table.reverse] });
    for (const at of listening) {
      ask({ tell: "listen", request: ++last, at }).catch((error: unknown) =>
        log.error({ ...at, error: String(error) }, "the new DNS worker cannot listen"),
      );
    }
  }

  function hear(message: FromWorker): void {
    if (message.tell === "applied") return applied(message.revision);
    if (message.tell === "log") return log[message.level](message.fields, message.message);
    const request = requests.get(message.request);
    requests.delete(message.request);
    if (message.tell === "ok") request?.resolve(message.value);
    else request?.reject(Object.assign(new Error(message.message), { code: message.code }));
  }

  function ask(message: ToWorker & { request: number }): Promise<ListenAddress | DnsCounters | undefined> {
    return new Promise((resolve, reject) => {
      if (worker === undefined) return reject(new Error("the DNS worker is not running"));
      requests.set(message.request, { resolve, reject });
      worker.postMessage(message);
    });
  }

  function apply(diff: NameDiff): void {
    const message: ToWorker = { tell: "diff", diff: withoutReasons(diff) };
    worker?.postMessage(message);
  }

  return {
    apply,
    async listen(at) {
      const opened = (await ask({ tell: "listen", request: ++last, at })) as ListenAddress;
      listening.push(opened);
      return opened;
    },
    setUpstreams(upstreams) {
      settings = { ...settings, upstreams };
      worker?.postMessage({ tell: "upstreams", upstreams } satisfies ToWorker);
    },
    counters: async () => (await ask({ tell: "counters", request: ++last })) as DnsCounters,
    async stop() {
      stopped = true;
      cancelRestart?.();
      const running = worker;
      if (running === undefined) return;
      // Listeners are closed when it says so; whatever else it waits for is not worth waiting for.
      await ask({ tell: "stop", request: ++last }).catch(() => undefined);
      await running.terminate();
    },
  };
}

/** Answers need no reasons, and copying them to the other thread costs more than the names. */
function withoutReasons({ names, reverse, serial, revision }: NameDiff): NameDiff {
  const bare = (entries: NameDiff["names"]): NameDiff["names"] =>
    entries.map(([name, entry]) => [name, entry && { ...entry, because: undefined }]);
  return { names: bare(names), reverse: bare(reverse), serial, revision };
}
