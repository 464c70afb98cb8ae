import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import { serviceNameLabel } from "#api/discovery/endpointslice/kind.ts";
import { startInformer, type Informer } from "#client/informer.ts";
import { createNameCompiler, type NameRules, type ObjectChange } from "#routing/names/compile.ts";
import type { NameDiff } from "#routing/names/table.ts";
import { settingsProblems } from "./check.ts";
import { createClients, logWithClients } from "./clients.ts";
import type { DnsOptions, ListenAddress, RunningDns, Upstream } from "./contract.ts";
import { parseNameservers } from "./forward/upstreams.ts";
import { hostHere, hostInWorkers } from "./host.ts";
import { createProgramming } from "./programming.ts";
import { newestOf } from "./revision.ts";
import type { ServerSettings } from "./server.ts";
import type { DnsSettings } from "./settings.ts";

/** Milliseconds that new settings wait for the pods they need. */
const podPatience = 10_000;

/** Parts of a difference after which `onParts` is called. */
const partsBetween = 5;

/** Where the worker's program is, in a checkout. A bundle puts it elsewhere and says so with `workerUrl`. */
export const defaultWorkerUrl: URL = new URL("./worker.ts", import.meta.url);

/**
 * Starts cluster DNS: names are compiled from the API's objects on the calling thread, and answered by a worker thread
 * (or this one) that receives only differences. Resolves once every listener answers, which may be before the objects
 * are read: until then the zone answers SERVFAIL. Rejects with the system's error when a listener cannot be opened.
 */
export async function startDns(options: DnsOptions): Promise<RunningDns> {
  const { client, listen, clusterDomain, clock = systemClock, inWorker = true } = options;
  const { upstreams = [], resolvConf = "", serviceAddresses = [], selfService, pods } = options;
  let settings = checked(options.settings ?? {});
  const clients = createClients();
  const log = logWithClients(options.log ?? silentLog, clients);
  const compiler = createNameCompiler({ zone: clusterDomain, clock, ...nameRules(settings) });
  const programming = createProgramming();
  const addresses: ListenAddress[] = [];
  const waiting = new Set<{ revision: string; resolve: () => void; reject: (error: Error) => void }>();
  let applied = "0";
  let ready = false;
  let scheduled: NodeJS.Immediate | undefined;
  let stopped = false;
  let configuring: Promise<void> = Promise.resolve();
  /** Settled while no difference is on its way in parts. */
  let handedOver: Promise<void> = Promise.resolve();
  /** Changes that came while one was: the parts of a difference belong to one state of the objects. */
  let held: (() => void)[] | undefined;

  const hostOptions = {
    settings: {
      zone: clusterDomain,
      upstreams: allUpstreams({ upstreams, resolvConf }),
      serviceAddresses: [...serviceAddresses],
      selfService: selfService && { namespace: selfService.namespace, name: selfService.name },
      pods,
      settings: structuredClone(settings),
    } satisfies ServerSettings,
    log,
    clock,
    applied: reached,
    async whole() {
      while (held !== undefined) await handedOver;
      return compiler.tableParts();
    },
  };
  const host = inWorker
    ? hostInWorkers({ ...hostOptions, url: options.workerUrl ?? defaultWorkerUrl })
    : hostHere(hostOptions);

  const informers = {
    namespaces: startInformer(client, "Namespace", { log, clock }),
    services: startInformer(client, "Service", { log, clock }),
    slices: startInformer(client, "EndpointSlice", { log, clock }),
  };
  /** Pods are read only while their names are answered or logged. */
  let podInformer: Informer<Pod> | undefined;
  const tellPod = changed<ObjectChange<Pod>>((change) => compiler.pod(change));
  informers.namespaces.onChange(changed((change) => compiler.namespace(change)));
  informers.services.onChange(changed((change) => compiler.service(change)));
  informers.slices.onChange(changed((change) => compiler.slice(change)));
  informers.slices.onChange((change) => {
    if (!ready) return;
    const { namespace, labels } = (change.after ?? change.before).metadata;
    programming.slice(change, informers.services.get(`${namespace}/${labels?.[serviceNameLabel]}`));
  });
  if (needsPods(settings)) podInformer = followPods();
  void Promise.all(needed().map(({ synced }) => synced)).then(schedule);

  function nameRules(from: DnsSettings): NameRules {
    const { endpointPodNames, ignoreEmptyService, namespaces } = from;
    return { pods: from.pods ?? pods, endpointPodNames, ignoreEmptyService, namespaces };
  }

  function isVerified(from: DnsSettings): boolean {
    return (from.pods ?? pods) === "verified";
  }

  function needsPods(from: DnsSettings): boolean {
    return isVerified(from) || (from.queryLog ?? "off") !== "off";
  }

  /** What must have been read before names are complete. */
  function needed(): { isSynced(): boolean; revision(): string; readonly synced: Promise<void> }[] {
    const always = Object.values(informers);
    return podInformer !== undefined && isVerified(settings) ? [...always, podInformer] : always;
  }

  function followPods(): Informer<Pod> {
    const followed = startInformer(client, "Pod", { log, clock });
    followed.onChange((change) => {
      if ((settings.queryLog ?? "off") !== "off") clients.pod(change);
      if (isVerified(settings)) tellPod(change);
    });
    return followed;
  }

  function changed<T>(tell: (change: T) => void): (change: T) => void {
    return (change) => {
      if (held !== undefined) return void held.push(() => tell(change));
      tell(change);
      schedule();
    };
  }

  /** All changes of one turn are handed over together. */
  function schedule(): void {
    if (stopped || !needed().every((informer) => informer.isSynced())) return;
    scheduled ??= setImmediate(handOver);
  }

  function reachedRevision(): string {
    return newestOf(needed().map((informer) => informer.revision()));
  }

  /** Most differences have one part. Those of many go as the workers take them: all at once they would fill the memory. */
  function handOver(): void {
    scheduled = undefined;
    const parts = compiler.takeParts(reachedRevision());
    const { value: first, done } = parts.next();
    if (done === true) return;
    const taken = host.apply(first);
    if (first.more === true) handedOver = handOverRest(parts, taken);
  }

  async function handOverRest(parts: Iterable<NameDiff>, first: Promise<void>): Promise<void> {
    held = [];
    let count = 1;
    await first;
    for (const part of parts) {
      if (stopped) break;
      await host.apply(part);
      if (++count % partsBetween === 0) await options.onParts?.();
    }
    const waited = held;
    held = undefined;
    if (stopped) return;
    for (const tell of waited) tell();
    if (waited.length > 0) schedule();
  }

  function reached(revision: string): void {
    ready = true;
    programming.shown(clock.now());
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

  async function useSettings(next: DnsSettings): Promise<void> {
    if (stopped) throw new Error("cluster DNS stopped");
    if (needsPods(next)) {
      podInformer ??= followPods();
      await within(podInformer.synced, podPatience, "the pods could not be read, which the settings need");
    }
    while (held !== undefined) await handedOver;
    if (stopped) throw new Error("cluster DNS stopped");
    const wasVerified = isVerified(settings);
    settings = next;
    compiler.configure(nameRules(next));
    clients.clear();
    for (const pod of podInformer?.list() ?? []) {
      if ((next.queryLog ?? "off") !== "off") clients.pod({ after: pod });
      if (isVerified(next) && !wasVerified) compiler.pod({ after: pod });
    }
    if (!needsPods(next)) {
      podInformer?.stop();
      podInformer = undefined;
    }
    const isComplete = needed().every((informer) => informer.isSynced());
    await host.configure(structuredClone(next), isComplete ? compiler.take(reachedRevision()) : undefined);
    log.info({}, "cluster DNS uses other settings");
  }

  function within(promise: Promise<void>, ms: number, problem: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = clock.after(ms, () => reject(new Error(problem)));
      void promise.then(() => {
        cancel();
        resolve();
      });
    });
  }

  async function stop(): Promise<void> {
    stopped = true;
    if (scheduled !== undefined) clearImmediate(scheduled);
    for (const informer of Object.values(informers)) informer.stop();
    podInformer?.stop();
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
    async configure(next) {
      checked(next);
      // One after the other, in the order they were asked for.
      const before = configuring;
      const { promise, resolve } = Promise.withResolvers<void>();
      configuring = promise;
      await before;
      await useSettings(next).finally(resolve);
    },
    settings: () => settings,
    setUpstreams: (to) => host.setUpstreams(allUpstreams(to)),
    isReady: () => ready,
    table: () => compiler.table(),
    counters: () => host.counters(),
    programming: programming.durations,
    stop,
  };
}

function checked(settings: DnsSettings): DnsSettings {
  const problems = settingsProblems(settings);
  if (problems.length > 0) throw new Error(`settings of cluster DNS cannot be used: ${problems.join("; ")}`);
  return settings;
}

/** Plain values, since they go to another thread. */
function allUpstreams({ upstreams = [], resolvConf = "" }: Pick<DnsOptions, "upstreams" | "resolvConf">): Upstream[] {
  return [...upstreams, ...parseNameservers(resolvConf)].map(({ address, port }) => ({ address, port }));
}
