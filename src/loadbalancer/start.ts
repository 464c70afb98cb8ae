import { isDeepStrictEqual } from "node:util";
import { systemClock, type Clock } from "#base/clock.ts";
import { silentLog, type Log } from "#base/log.ts";
import { createWorkqueue } from "#base/workqueue.ts";
import type { LoadBalancerStatus, Service } from "#api/core/service/kind.ts";
import { keyOf } from "#api/meta/object.ts";
import { isApiError } from "#api/meta/status.ts";
import type { Client } from "#client/contract.ts";
import { createEventRecorder } from "#client/event-recorder.ts";
import { startInformer } from "#client/informer.ts";
import { assignAddresses, heldAddresses, type Assignment } from "./assign.ts";
import { followPools } from "./follow.ts";
import type { AddressPool } from "./pool.ts";

export interface LoadBalancerOptions {
  client: Client;
  /** To hand out from, besides those of the ConfigMap; without any, Services stay pending, with an event that says so. */
  pools: readonly AddressPool[];
  /** Addresses that are never handed out, besides those of the nodes. */
  reserved?: readonly string[];
  log?: Log;
  clock?: Clock;
}

export interface RunningLoadBalancer {
  /** Resolves when every Service has what it should have. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

/** The built-in provider of outside addresses: writes `status.loadBalancer` of Services of type LoadBalancer. */
export function startLoadBalancer(options: LoadBalancerOptions): RunningLoadBalancer {
  const { client, log = silentLog, clock = systemClock } = options;
  const services = startInformer(client, "Service", { log, clock });
  const namespaces = startInformer(client, "Namespace", { log, clock });
  const nodes = startInformer(client, "Node", { log, clock });
  const events = createEventRecorder(client, "fairlead-load-balancer", { clock, log });
  const again = () => queue.add("all");
  const followed = followPools({ client, flags: options.pools, changed: again, log, clock, events });
  /** What each Service was told last, so that one trouble is one event. */
  const told = new Map<string, string>();
  const queue = createWorkqueue({
    clock,
    work: async () => {
      await Promise.all([services.synced, namespaces.synced, nodes.synced, followed.synced]);
      const reserved = new Set(options.reserved);
      for (const { status } of nodes.list()) for (const { address } of status?.addresses ?? []) reserved.add(address);
      const assignments = assignAddresses([...services.list()], {
        pools: followed.pools(),
        reserved,
        namespaceLabels: (name) => namespaces.get(name)?.metadata.labels,
      });
      const others = services.list().filter(({ spec }) => spec.type !== "LoadBalancer");
      await each(assignments, settle);
      await each(others, withdraw);
    },
    failed: (_key, error, retryInMs) =>
      log.warn({ error: String(error), retryInMs }, "writing an outside address failed"),
  });
  const unsubscribes = [
    services.onChange((change) => {
      if (change.type === "removed") told.delete(keyOf(change.before));
      const { spec, status } = change.after ?? change.before;
      if (spec.type === "LoadBalancer" || status?.loadBalancer?.ingress !== undefined) again();
    }),
    namespaces.onChange(({ before, after }) => {
      if (!isDeepStrictEqual(before?.metadata.labels, after?.metadata.labels)) again();
    }),
    nodes.onChange(({ before, after }) => {
      if (!isDeepStrictEqual(before?.status?.addresses, after?.status?.addresses)) again();
    }),
  ];

  async function settle(assignment: Assignment): Promise<void> {
    const { service } = assignment;
    if ("addresses" in assignment) {
      told.delete(keyOf(service));
      const { addresses, pool } = assignment;
      const ingress = addresses.map((ip) => ({ ip, ipMode: "VIP" as const }));
      if (isDeepStrictEqual(service.status?.loadBalancer?.ingress, ingress)) return;
      await writeStatus(service, { ingress });
      events.normal(service, "AddressAssigned", `assigned ${addresses.join(" and ")} of pool ${pool}`);
      return;
    }
    const { reason, message } = assignment;
    await withdraw(service);
    if (told.get(keyOf(service)) === message) return;
    told.set(keyOf(service), message);
    events.warning(service, reason, message);
  }

  async function withdraw(service: Service): Promise<void> {
    if (heldAddresses(service).length > 0) await writeStatus(service, {});
  }

  async function writeStatus(service: Service, loadBalancer: LoadBalancerStatus): Promise<void> {
    try {
      await client.updateStatus("Service", { ...service, status: { ...service.status, loadBalancer } });
    } catch (error) {
      // A newer Service comes by the watch and gets its turn; one that is gone needs none.
      if (!isApiError(error, "Conflict", "NotFound")) throw error;
    }
  }

  /** One after the other; what fails keeps none of the others from its turn. */
  async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    const errors: unknown[] = [];
    for (const item of items) await work(item).catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw errors[0];
  }

  return {
    async idle() {
      await queue.idle();
      await events.flush();
    },
    async stop() {
      for (const unsubscribe of unsubscribes) unsubscribe();
      for (const part of [services, namespaces, nodes, followed]) part.stop();
      await queue.stop();
      await events.flush();
    },
  };
}
