import type { Family } from "#base/cidr.ts";
import type { Client } from "#client/contract.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { selectForNode } from "#routing/l4/select.ts";
import type { ServiceTable } from "#routing/l4/table.ts";
import type { ProxySettings } from "./config/settings.ts";
import { isHealthy, replyHealth, type ProxyHealth } from "./http/health.ts";
import { createNodeFace, type NodeFace } from "./http/node-face.ts";
import { startServiceHealth, type ServiceHealth } from "./http/service-health.ts";
import { familyNames } from "./families.ts";
import { renderFamilies } from "./metrics/proxy-metrics.ts";
import type { ProxyNode } from "./mode.ts";
import type { WatchedNodes } from "./node-facts.ts";
import { startNodeFamilies, type NodeProxies, type NodeWork } from "./node-families.ts";
import type { NodeProxyDeps } from "./node-proxy.ts";

/** One node with its proxies, and all that tells how it is. */
export interface ServedNode {
  /** As it was given, without what its Node object says. */
  readonly given: ProxyNode;
  readonly proxy: NodeProxies;
  readonly face: NodeFace;
  /** As the proxies' own `change`, for all that goes with them. */
  change(work: NodeWork): Promise<void>;
  /** Resolves when the health check node ports are open that are asked for now, or refused. */
  settled(): Promise<void>;
  /** Ends all but the proxies. */
  stopFaces(): Promise<void>;
}

export interface ServedNodeDeps extends Omit<NodeProxyDeps, "tampered"> {
  readonly client: Client;
  readonly events: EventRecorder;
  readonly watched: WatchedNodes;
  /** Those that are in use now. */
  readonly settings: () => ProxySettings;
}

/** Starts them. The face listens nowhere yet. */
export function startServedNode(given: ProxyNode, work: NodeWork, deps: ServedNodeDeps): ServedNode {
  const { client, events, watched, settings, source, log, clock } = deps;
  const { name, netns } = given;
  const place = { node: name, ...(netns === undefined ? {} : { netns }), log };

  const proxy = startNodeFamilies(work, {
    source,
    log,
    clock,
    tampered(damage) {
      const what = damage === "" ? "" : `: ${damage}`;
      const text = `another program changed the ${proxy.mode} rules of services on ${name}; they are made again${what}`;
      events.warning(watched.object(name), "ServiceRulesChanged", text);
    },
  });
  const health = (): ProxyHealth => ({
    families: Object.fromEntries([...proxy.families].map(([family, each]) => [familyNames[family], each.freshness()])),
    nodeEligible: watched.facts(name).isEligible,
    timeoutMs: 2 * settings().syncMs,
    now: clock.now(),
  });
  const face = createNodeFace({
    ...place,
    health(path) {
      const reply = replyHealth(path, health());
      // A count of the node's: its first family keeps it.
      [...proxy.families.values()][0]?.metrics.answered(path, reply.status);
      return reply;
    },
    metrics: () =>
      renderFamilies(
        [...proxy.families].map(([family, { metrics }]) =>
          metrics.sections({ noLocalEndpoints: countWithoutLocal(source.table(family), name) }),
        ),
      ),
    mode: () => proxy.mode,
  });

  async function tellNotOpened(service: { namespace: string; name: string }, port: number, problem: string) {
    // To get one is more than the role of kube-proxy allows.
    const scope = { namespace: service.namespace, fieldSelector: `metadata.name=${service.name}` };
    const [found] = (await client.list("Service", scope)).items;
    const key = `${service.namespace}/${service.name}`;
    const text = `node ${name} failed to start healthcheck "${key}" on port ${port}: ${problem}`;
    if (found !== undefined) events.warning(found, "FailedToStartServiceHealthcheck", text);
  }

  const services = new Map<Family, ServiceHealth>();

  function serviceHealth(family: Family): ServiceHealth {
    return startServiceHealth({
      ...place,
      family,
      source,
      isHealthy: () => isHealthy(health()),
      failed: (...what) =>
        void tellNotOpened(...what).catch((error: unknown) => {
          log.debug({ node: name, error: String(error) }, "an Event was not written");
        }),
      clock,
    });
  }

  /** Each family has its own endpoints to count, and its own addresses to listen on. */
  async function followFamilies(): Promise<void> {
    for (const family of proxy.families.keys()) {
      if (!services.has(family)) services.set(family, serviceHealth(family));
    }
    for (const [family, running] of services) {
      if (proxy.families.has(family)) continue;
      services.delete(family);
      await running.stop();
    }
  }

  void followFamilies();
  return {
    given,
    proxy,
    face,
    async change(work) {
      try {
        await proxy.change(work);
      } finally {
        await followFamilies();
      }
    },
    async settled() {
      await Promise.all([...services.values()].map((running) => running.settled()));
    },
    async stopFaces() {
      await Promise.all([face.stop(), ...[...services.values()].map((running) => running.stop())]);
    },
  };
}

/** How many Services a policy Local leaves without an endpoint on the node. */
function countWithoutLocal(table: ServiceTable, name: string): { internal: number; external: number } {
  const found = { internal: new Set<string>(), external: new Set<string>() };
  for (const entry of table.ports.values()) {
    if (entry.internalTrafficPolicy !== "Local" && entry.externalTrafficPolicy !== "Local") continue;
    const selection = selectForNode(entry, { name });
    for (const by of ["internal", "external"] as const) {
      if (selection[by] === "drop") found[by].add(`${entry.namespace}/${entry.name}`);
    }
  }
  return { internal: found.internal.size, external: found.external.size };
}
