import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import { startInformer } from "#client/informer.ts";
import { createNameCompiler } from "#routing/names/compile.ts";
import type { DnsOptions, ListenAddress, RunningDns, Upstream } from "./contract.ts";
import { parseNameservers } from "./forward/upstreams.ts";
import { hostHere, hostInWorker } from "./host.ts";
import type { ServerSettings } from "./server.ts";

/** Where the worker's program is, in a checkout. A bundle puts it elsewhere and says so with `workerUrl`. */
export const defaultWorkerUrl: URL = new URL("./worker.ts", import.meta.url);

/**
 * Starts cluster DNS: names are compiled from the API's objects on the calling thread, and answered by a worker thread
 * (or this one) that receives only differences. Resolves once every listener answers, which may be before the objects
 * are read: until then the zone answers SERVFAIL. Rejects with the system's error when a listener cannot be opened.
 */
export async function startDns(options: DnsOptions): Promise<RunningDns> {
  const { client, listen, clusterDomain, log = silentLog, clock = systemClock, inWorker = true } = options;
  const { upstreams = [], resolvConf = "", serviceAddresses = [], selfService, pods } = options;
  const compiler = createNameCompiler({ zone: clusterDomain, pods, clock });
  const addresses: ListenAddress[] = [];
  const waiting = new Set<{ revision: string; resolve: () => void; reject: (error: Error) => void }>();
  let applied = "0";
  let ready = false;
  let compiled = false;
  let scheduled: NodeJS.Immediate | undefined;
  let stopped = false;

  const settings: ServerSettings = {
    zone: clusterDomain,
    upstreams: allUpstreams({ upstreams, resolvConf }),
    serviceAddresses: [...serviceAddresses],
    selfService: selfService && { namespace: selfService.namespace, name: selfService.name },
    pods,
  };
  const hostOptions = {
    settings,
    log,
    clock,
    applied: reached,
    whole: () => (compiled ? compiler.table() : undefined),
  };
  const host = inWorker
    ? hostInWorker({ ...hostOptions, url: options.workerUrl ?? defaultWorkerUrl })
    : hostHere(hostOptions);

  const informers = {
    namespaces: startInformer(client, "Namespace", { log, clock }),
    services: startInformer(client, "Service", { log, clock }),
    slices: startInformer(client, "EndpointSlice", { log, clock }),
  };
  const all = Object.values(informers);
  informers.namespaces.onChange(changed((change) => compiler.namespace(change)));
  informers.services.onChange(changed((change) => compiler.service(change)));
  informers.slices.onChange(changed((change) => compiler.slice(change)));
  void Promise.all(all.map(({ synced }) => synced)).then(schedule);

  function changed<T>(tell: (change: T) => void): (change: T) => void {
    return (change) => {
      tell(change);
      schedule();
    };
  }

  /** All changes of one turn are handed over together. */
  function schedule(): void {
    if (stopped || !all.every((informer) => informer.isSynced())) return;
    scheduled ??= setImmediate(handOver);
  }

  function handOver(): void {
    scheduled = undefined;
    const diff = compiler.take(newestOf(all.map((informer) => informer.revision())));
    if (diff === undefined) return;
    compiled = true;
    host.apply(diff);
  }

  function reached(revision: string): void {
    ready = true;
    applied = newestOf([applied, revision]);
    for (const waiter of waiting) {
      if (newestOf([applied, waiter.revision]) !== applied) continue;
      waiting.delete(waiter);
      waiter.resolve();
    }
  }

  async function addListener(address: string, port: number): Promise<ListenAddress> {
    const at = await host.listen({ address, port });
    if (!addresses.some((known) => known.address === at.address && known.port === at.port)) addresses.push(at);
    log.info({ address: at.address, port: at.port }, "cluster DNS answers");
    return at;
  }

  async function stop(): Promise<void> {
    stopped = true;
    if (scheduled !== undefined) clearImmediate(scheduled);
    for (const informer of all) informer.stop();
    for (const waiter of waiting) waiter.reject(new Error("cluster DNS stopped"));
    waiting.clear();
    await host.stop();
  }

  try {
    for (const { address, port } of listen) await addListener(address, port);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    addresses,
    applied: () => applied,
    waitFor: (revision) =>
      new Promise((resolve, reject) => {
        if (stopped) return reject(new Error("cluster DNS stopped"));
        if (newestOf([applied, revision]) === applied) return resolve();
        waiting.add({ revision, resolve, reject });
      }),
    addListener,
    configure: async () => {},
    settings: () => options.settings ?? {},
    setUpstreams: (to) => host.setUpstreams(allUpstreams(to)),
    isReady: () => ready,
    table: () => compiler.table(),
    counters: () => host.counters(),
    stop,
  };
}

/** Plain values, since they go to another thread. */
function allUpstreams({ upstreams = [], resolvConf = "" }: Pick<DnsOptions, "upstreams" | "resolvConf">): Upstream[] {
  return [...upstreams, ...parseNameservers(resolvConf)].map(({ address, port }) => ({ address, port }));
}

/** Revisions are whole numbers in decimal. */
function newestOf(revisions: readonly string[]): string {
  return revisions.reduce((a, b) => (a.length === b.length ? (a >= b ? a : b) : a.length > b.length ? a : b), "0");
}
