import { createBackoff } from "#base/backoff.ts";
import { delay, systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import { keyOf, type KubeObject } from "#api/meta/object.ts";
import { startInformer, type Informer } from "#client/informer.ts";
import type { ConfigMap } from "#api/core/configmap/kind.ts";
import type { TableChange } from "#dataplane/table.ts";
import type { Problem } from "#routing/because.ts";
import { createIngressCompiler } from "#routing/l7/compiler.ts";
import { createStreamCompiler } from "#routing/streams/compiler.ts";
import { settingsOf } from "./annotations/settings.ts";
import { acceptedClasses, acceptedControllers } from "./class.ts";
import { createDefaultCertificate } from "./certificate.ts";
import { createEventWriter } from "./events.ts";
import { createNamedFollower } from "./named.ts";
import { defaultOptions } from "./options.ts";
import { fetchOcsp } from "./ocsp/fetch.ts";
import { createStapler, type Stapler } from "./ocsp/stapler.ts";
import { hasReached, newest } from "./revision.ts";
import { listRoutes } from "./routes.ts";
import type { RunningIngress, StartIngressOptions } from "./running.ts";
import { createStatusWriter } from "./status.ts";
import { refusedPorts, streamTimes } from "./streams.ts";

/** Changes that arrive within this time go to the data plane as one. */
const gatherMs = 1;
/** How long a table may wait for objects that an Ingress names: rather that than a moment with the wrong certificate. */
const namedPatienceMs = 200;
/** Events and statuses wait for this long, so that a burst of changes is looked at once. */
const reportMs = 50;
/** How often `waitFor` looks at revisions that changed nothing here. */
const idleLookMs = 20;

/**
 * Follows Ingresses, classes, Services, EndpointSlices and the Secrets and ConfigMaps that are named, and keeps the data plane's tables true to
 * them: each change is compiled alone and handed over as a difference. Problems become Events on their Ingress, routed
 * Ingresses get the entry's addresses into their status. Returns before the first table is in force; see `ready`.
 */
export async function startIngress(options: StartIngressOptions): Promise<RunningIngress> {
  const { client, dataplane, log = silentLog, clock = systemClock } = options;
  const defaultCertificate = options.defaultCertificate ?? (await createDefaultCertificate(clock.now()));
  const ingressOptions = { ...defaultOptions, ...options.options };
  const compiler = createIngressCompiler({
    controllers: options.controllers ?? acceptedControllers,
    legacyClasses: options.classes ?? acceptedClasses,
    watchWithoutClass: options.watchWithoutClass ?? true,
    implementationSpecific: "characters",
    defaultCertificate,
    settingsOf: (ingress) => settingsOf(ingress, ingressOptions),
  });
  const streams = createStreamCompiler({
    configMaps: {
      ...(options.streams?.tcpConfigMap === undefined ? {} : { tcp: options.streams.tcpConfigMap }),
      ...(options.streams?.udpConfigMap === undefined ? {} : { udp: options.streams.udpConfigMap }),
    },
    reserved: options.streams?.reserved ?? new Map(),
    times: streamTimes(ingressOptions),
  });
  const stapler = ingressOptions.ocsp
    ? createStapler({ clock, log, fetch: options.fetchOcsp ?? fetchOcsp, changed: () => changed(false) })
    : undefined;
  /** ConfigMaps of streams, for Events about them. */
  const streamMaps = new Map<string, ConfigMap>();

  const abort = new AbortController();
  const { signal } = abort;
  let applied = "0";
  let isRunning = false;
  let isWaiting = false;
  let again = false;
  let cancelFlush: (() => void) | undefined;
  let cancelReport: (() => void) | undefined;
  let namedDue: number | undefined;
  let waiters: { revision: string; resolve: () => void; reject: (error: Error) => void }[] = [];
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {});

  const { namespace } = options;
  const followed = { scope: namespace === undefined ? {} : { namespace }, log, clock };
  const informers = {
    ingresses: startInformer(client, "Ingress", followed),
    classes: startInformer(client, "IngressClass", { log, clock }),
    services: startInformer(client, "Service", followed),
    slices: startInformer(client, "EndpointSlice", followed),
  };
  const secrets = createNamedFollower({
    kind: "Secret",
    client,
    log,
    clock,
    found(key, secret) {
      compiler.secret(key, secret);
      changed(true);
    },
    forgotten: (key) => compiler.forgetSecret(key),
  });
  const configMaps = createNamedFollower({
    kind: "ConfigMap",
    client,
    log,
    clock,
    found(key, configMap) {
      compiler.configMap(key, configMap);
      streams.configMap(key, configMap);
      if (configMap === undefined) streamMaps.delete(key);
      else if (streams.wantedConfigMaps.has(key)) streamMaps.set(key, configMap);
      changed(true);
    },
    forgotten: (key) => compiler.forgetConfigMap(key),
  });
  const status = createStatusWriter({
    client,
    log,
    clock,
    addresses: options.publishAddresses ?? [],
    routed: (key) => (compiler.isAccepted(key) ? informers.ingresses.get(key) : undefined),
  });
  const events = createEventWriter({ client, log, clock });
  const statusDue = new Set<string>();

  follow(informers.ingresses, (key, after) => {
    compiler.ingress(key, after);
    statusDue.add(key);
    changed(true);
  });
  follow(informers.classes, (key, after) => {
    compiler.ingressClass(key, after);
    for (const ingress of informers.ingresses.list()) statusDue.add(keyOf(ingress));
    changed(true);
  });
  follow(informers.services, (key, after) => {
    compiler.service(key, after);
    streams.service(key, after);
    changed(true);
  });
  follow(informers.slices, (key, after) => {
    compiler.slice(key, after);
    streams.slice(key, after);
    changed(false);
  });
  void Promise.all(Object.values(informers).map((informer) => informer.synced)).then(() => {
    isRunning = true;
    schedule(0);
  });

  function changed(isTold: boolean): void {
    schedule(gatherMs);
    if (isTold) reportSoon();
  }

  function schedule(ms: number): void {
    if (!isRunning || signal.aborted) return;
    cancelFlush ??= clock.after(ms, () => {
      cancelFlush = undefined;
      void flush();
    });
  }

  function revision(): string {
    const own = Object.values(informers).map((informer) => informer.revision());
    return newest([...own, ...secrets.revisions(), ...configMaps.revisions()]);
  }

  async function flush(): Promise<void> {
    if (isWaiting) {
      again = true;
      return;
    }
    secrets.follow(compiler.wantedSecrets());
    configMaps.follow(compiler.wantedConfigMaps().union(streams.wantedConfigMaps));
    if (secrets.pending() + configMaps.pending() > 0) {
      namedDue ??= clock.monotonic() + namedPatienceMs;
      // A Secret that arrives schedules the next turn by itself; this one is for those that do not.
      if (clock.monotonic() < namedDue) return schedule(gatherMs * 5);
    } else namedDue = undefined;
    const at = revision();
    const change = joined(compiler.take(at), streams.take(), at, stapler);
    isWaiting = true;
    if (change !== undefined) await apply(change);
    // Whether ports can be had is known only now.
    if (change?.streams !== undefined) reportSoon();
    isWaiting = false;
    if (signal.aborted) return;
    applied = at;
    ready.resolve();
    settle();
    if (again) {
      again = false;
      schedule(0);
    } else if (waiters.length > 0) schedule(idleLookMs);
  }

  /** Not returning before the data plane has it keeps changes in order; it is tried until it succeeds or all stops. */
  async function apply(change: TableChange): Promise<void> {
    const backoff = createBackoff({ base: 50, limit: 5_000 });
    while (!signal.aborted) {
      try {
        return await dataplane.apply(change);
      } catch (error) {
        log.error({ revision: change.revision, error: String(error) }, "the data plane refused a change, trying again");
        await delay(clock, backoff.next(), signal).catch(() => {});
      }
    }
  }

  function problems(): readonly Problem[] {
    const refused = refusedPorts(dataplane.refusedStreams?.() ?? new Map(), streams);
    return [...compiler.result().problems, ...streams.problems(), ...refused];
  }

  function settle(): void {
    const open = waiters;
    waiters = open.filter(({ revision }) => !hasReached(applied, revision));
    for (const waiter of open) if (hasReached(applied, waiter.revision)) waiter.resolve();
  }

  function reportSoon(): void {
    if (signal.aborted) return;
    cancelReport ??= clock.after(reportMs, () => {
      cancelReport = undefined;
      if (applied === "0") return reportSoon();
      events.report(problems(), ({ kind, namespace, name }) => {
        const key = `${namespace}/${name}`;
        return kind === "Ingress" ? informers.ingresses.get(key) : streamMaps.get(key);
      });
      for (const key of statusDue) status.check(key);
      statusDue.clear();
    });
  }

  return {
    ready: ready.promise,
    applied: () => applied,
    waitFor(revision) {
      if (hasReached(applied, revision)) return Promise.resolve();
      if (signal.aborted) return Promise.reject(stopped());
      const waiter = Promise.withResolvers<void>();
      waiters.push({ revision, resolve: waiter.resolve, reject: waiter.reject });
      schedule(gatherMs);
      return waiter.promise;
    },
    routes: () => listRoutes(compiler.result()),
    problems,
    streams: () => streams.result(),
    compiled: () => compiler.result(),
    publish(addresses) {
      status.publish(addresses);
      for (const ingress of informers.ingresses.list()) statusDue.add(keyOf(ingress));
      reportSoon();
    },
    async stop() {
      abort.abort();
      cancelFlush?.();
      cancelReport?.();
      stapler?.stop();
      for (const informer of Object.values(informers)) informer.stop();
      secrets.stop();
      configMaps.stop();
      for (const { reject } of waiters.splice(0)) reject(stopped());
      ready.reject(stopped());
      await Promise.all([status.stop(), events.stop()]);
    },
  };
}

/** One change of both tables, with what is known of the certificates, or none. */
function joined(
  change: TableChange | undefined,
  streams: TableChange["streams"],
  revision: string,
  stapler: Stapler | undefined,
): TableChange | undefined {
  const dressed = stapler?.dress(change?.certificates ?? []) ?? change?.certificates ?? [];
  const given = new Set(dressed.map(([id]) => id));
  const certificates = [...dressed, ...(stapler?.take() ?? []).filter(([id]) => !given.has(id))];
  if (change === undefined && streams === undefined && certificates.length === 0) return undefined;
  const base = change ?? { hosts: [], backends: [], certificates: [], revision };
  return { ...base, certificates, ...(streams === undefined ? {} : { streams }) };
}

function follow<T extends KubeObject>(informer: Informer<T>, told: (key: string, after: T | undefined) => void): void {
  informer.onChange(({ before, after }) => told(keyOf((after ?? before) as T), after));
}

function stopped(): Error {
  return new Error("the Ingress controller has stopped");
}
