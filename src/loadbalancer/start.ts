import { rfc3339, systemClock, type Clock } from "#base/clock.ts";
import type { Cidr } from "#base/cidr.ts";
import { silentLog, type Log } from "#base/log.ts";
import { createWorkqueue } from "#base/workqueue.ts";
import type { Service } from "#api/core/service/kind.ts";
import { keyOf } from "#api/meta/object.ts";
import { isApiError } from "#api/meta/status.ts";
import type { Client } from "#client/contract.ts";
import { startInformer } from "#client/informer.ts";
import { assignAddresses, heldAddress, type Assignment } from "./assign.ts";

export interface LoadBalancerOptions {
  client: Client;
  /** Ranges to hand out from; none leaves Services pending, with an event that says so. */
  pools: readonly Cidr[];
  log?: Log;
  clock?: Clock;
}

export interface RunningLoadBalancer {
  /** Resolves when every Service has what it should have. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

/** The built-in provider of outside addresses: writes `status.loadBalancer` of Services of type LoadBalancer. */
export function startLoadBalancer({
  client,
  pools,
  log = silentLog,
  clock = systemClock,
}: LoadBalancerOptions): RunningLoadBalancer {
  const services = startInformer(client, "Service", { log, clock });
  /** What each Service was told last, so that one trouble is one event. */
  const told = new Map<string, string>();
  const queue = createWorkqueue({
    clock,
    work: async () => {
      await services.synced;
      for (const assignment of assignAddresses([...services.list()], pools)) await settle(assignment);
      for (const service of services.list()) if (service.spec.type !== "LoadBalancer") await withdraw(service);
    },
    failed: (_key, error, retryInMs) =>
      log.warn({ error: String(error), retryInMs }, "writing an outside address failed"),
  });
  const unsubscribe = services.onChange((change) => {
    if (change.type === "removed") told.delete(keyOf(change.before));
    const { spec, status } = change.after ?? change.before;
    if (spec.type === "LoadBalancer" || status?.loadBalancer?.ingress !== undefined) queue.add("all");
  });

  async function settle(assignment: Assignment): Promise<void> {
    const { service } = assignment;
    if ("address" in assignment) {
      told.delete(keyOf(service));
      const { address } = assignment;
      if (heldAddress(service) === address) return;
      await writeStatus(service, [{ ip: address, ipMode: "VIP" }]);
      await record(service, "Normal", "AddressAssigned", `assigned ${address}`);
      return;
    }
    const { reason, message } = assignment;
    await withdraw(service);
    if (told.get(keyOf(service)) === message) return;
    told.set(keyOf(service), message);
    await record(service, "Warning", reason, message);
  }

  async function withdraw(service: Service): Promise<void> {
    if (heldAddress(service) !== undefined) await writeStatus(service, undefined);
  }

  async function writeStatus(
    service: Service,
    ingress: NonNullable<NonNullable<Service["status"]>["loadBalancer"]>["ingress"],
  ) {
    try {
      const status = { ...service.status, loadBalancer: ingress === undefined ? {} : { ingress } };
      await client.updateStatus("Service", { ...service, status });
    } catch (error) {
      // A newer Service comes by the watch and gets its turn; one that is gone needs none.
      if (!isApiError(error, "Conflict", "NotFound")) throw error;
    }
  }

  async function record(service: Service, type: "Normal" | "Warning", reason: string, message: string): Promise<void> {
    const { name, namespace, uid } = service.metadata;
    const now = rfc3339(clock.now());
    await client.create("Event", {
      metadata: { generateName: `${name}.`, namespace },
      involvedObject: { kind: "Service", apiVersion: "v1", name, namespace, uid },
      type,
      reason,
      message,
      source: { component: "fairlead-load-balancer" },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    });
  }

  return {
    idle: () => queue.idle(),
    async stop() {
      unsubscribe();
      services.stop();
      await queue.stop();
    },
  };
}
