import { delay, systemClock } from "#base/clock.ts";
import { serviceNameLabel } from "#api/discovery/endpointslice/kind.ts";
import { keyOf } from "#api/meta/object.ts";
import type { KindName } from "#api/types.ts";
import type { Client } from "#client/contract.ts";
import type { RunningDns } from "#dns/contract.ts";
import type { RunningIngress } from "#ingress/running.ts";
import type { LocalAgent } from "./local-agent.ts";
import type { UpOptions } from "./options.ts";
import { step, type Report } from "./report.ts";

/** The parts that make tables true; a change is applied when each has it in force. */
export interface Appliers {
  readonly agent: LocalAgent | undefined;
  readonly dns: RunningDns;
  readonly ingress: RunningIngress;
}

/** Waits until proxies, DNS and Ingress have in force what the API holds now. False when that takes too long. */
export function waitApplied(
  client: Client,
  parts: Appliers,
  options: UpOptions,
  report: Report,
  signal: AbortSignal,
): Promise<boolean> {
  return step(report, "applied", "Rules, names and routes in force", (say) =>
    inTime(options, signal, applied(client, parts), async () => {
      say("rules, names or routes are not in force yet");
      return false;
    }),
  );
}

async function applied(client: Client, { agent, dns, ingress }: Appliers): Promise<boolean> {
  const [services, names, routes] = await Promise.all([
    newest(client, ["Service", "EndpointSlice"]),
    newest(client, ["Service", "EndpointSlice", "Namespace"]),
    newest(client, ["Ingress", "Service", "EndpointSlice"]),
  ]);
  await Promise.all([agent?.waitFor(services), dns.waitFor(String(names)), ingress.waitFor(String(routes))]);
  return true;
}

/** The newest revision of any object of these kinds. */
async function newest(client: Client, kinds: readonly KindName[]): Promise<number> {
  const lists = await Promise.all(kinds.map((kind) => client.list(kind)));
  return Math.max(
    0,
    ...lists.flatMap(({ items }) => items.map(({ metadata }) => Number(metadata.resourceVersion ?? 0))),
  );
}

/**
 * Waits until every Deployment is available and every Service that an Ingress names has an endpoint, and all of it is in
 * force. False, with what is missing, when that takes too long; a Service that does not exist is told and not waited for,
 * since nothing here will make it.
 */
export function waitServed(
  client: Client,
  parts: Appliers,
  options: UpOptions,
  report: Report,
  signal: AbortSignal,
): Promise<boolean> {
  return step(report, "served", "Pods ready; rules, names and routes in force", async (say) => {
    const deadline = systemClock.monotonic() + options.waitTimeoutSeconds * 1000;
    let missing = await notServed(client);
    while (missing.some(({ mayCome }) => mayCome) && systemClock.monotonic() < deadline) {
      await delay(systemClock, 10, signal);
      missing = await notServed(client);
    }
    for (const { text } of missing) report({ type: "warning", text });
    const isLate = missing.some(({ mayCome }) => mayCome);
    if (missing.length > 0) say(`not everything is served${isLate ? ` after ${options.waitTimeoutSeconds} s` : ""}`);
    const inForce = await inTime(options, signal, applied(client, parts), async () => false);
    return inForce && missing.length === 0;
  });
}

interface Missing {
  readonly text: string;
  /** Whether time may bring it. */
  readonly mayCome: boolean;
}

async function notServed(client: Client): Promise<Missing[]> {
  const [deployments, daemonSets, pods, ingresses, slices, services] = await Promise.all([
    client.list("Deployment"),
    client.list("DaemonSet"),
    client.list("Pod"),
    client.list("Ingress"),
    client.list("EndpointSlice"),
    client.list("Service"),
  ]);
  const missing: Missing[] = [];
  const workloads = [
    ...deployments.items.map(({ metadata, spec, status }) => {
      const isObserved = status?.observedGeneration === metadata.generation;
      const available = isObserved ? (status?.availableReplicas ?? 0) : 0;
      return { what: "deployment", metadata, isObserved, wanted: spec.replicas ?? 1, available };
    }),
    ...daemonSets.items.map(({ metadata, status }) => {
      const isObserved = status?.observedGeneration === metadata.generation;
      const available = isObserved ? (status?.numberAvailable ?? 0) : 0;
      return { what: "daemonset", metadata, isObserved, wanted: status?.desiredNumberScheduled ?? 0, available };
    }),
  ];
  for (const { what, metadata, isObserved, wanted, available } of workloads) {
    if (isObserved && available >= wanted) continue;
    const waiting = pods.items
      .filter(
        (pod) => pod.metadata.namespace === metadata.namespace && pod.metadata.name.startsWith(`${metadata.name}-`),
      )
      .flatMap((pod) => pod.status?.containerStatuses ?? [])
      .map(({ state }) => state?.waiting?.message)
      .find((message) => message !== undefined);
    const why = waiting === undefined ? "" : `: ${waiting}`;
    const text = `${what} ${metadata.namespace}/${metadata.name}: ${available} of ${wanted} pods available${why}`;
    missing.push({ text, mayCome: true });
  }
  const ready = new Set<string>();
  for (const { metadata, endpoints } of slices.items) {
    if (!endpoints.some(({ conditions }) => conditions?.ready !== false)) continue;
    ready.add(`${metadata.namespace}/${metadata.labels?.[serviceNameLabel]}`);
  }
  const known = new Set(services.items.map(keyOf));
  for (const { metadata, spec } of ingresses.items) {
    const backends = [
      spec.defaultBackend,
      ...(spec.rules ?? []).flatMap(({ http }) => http?.paths.map(({ backend }) => backend)),
    ];
    for (const backend of backends) {
      const service = backend?.service && `${metadata.namespace}/${backend.service.name}`;
      if (service === undefined || ready.has(service)) continue;
      const mayCome = known.has(service);
      const why = mayCome ? "has no ready endpoint" : "does not exist";
      missing.push({ text: `ingress ${metadata.namespace}/${metadata.name}: service ${service} ${why}`, mayCome });
    }
  }
  return missing;
}

/** What `work` gives, or what `late` gives when it takes longer than the options allow. Rejects when interrupted. */
async function inTime<T>(
  { waitTimeoutSeconds }: UpOptions,
  signal: AbortSignal,
  work: Promise<T>,
  late: () => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const timeout = delay(systemClock, waitTimeoutSeconds * 1000, AbortSignal.any([signal, over.signal])).then(late);
  timeout.catch(() => {});
  try {
    return await Promise.race([work, timeout]);
  } finally {
    over.abort();
  }
}
