import type { Client } from "#client/contract.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { selectForNode } from "#routing/l4/select.ts";
import type { ServiceTable } from "#routing/l4/table.ts";
import type { ProxySettings } from "./config/settings.ts";
import { isHealthy, replyHealth, type ProxyHealth } from "./http/health.ts";
import { createNodeFace, type NodeFace } from "./http/node-face.ts";
import { startServiceHealth, type ServiceHealth } from "./http/service-health.ts";
import type { ProxyNode } from "./mode.ts";
import type { WatchedNodes } from "./node-facts.ts";
import { startNodeProxy, type NodeProxy, type NodeProxyDeps, type Work } from "./node-proxy.ts";

/** One node with its proxy, and all that tells how it is. */
export interface ServedNode {
  /** As it was given, without what its Node object says. */
  readonly given: ProxyNode;
  readonly proxy: NodeProxy;
  readonly face: NodeFace;
  readonly services: ServiceHealth;
}

export interface ServedNodeDeps extends Omit<NodeProxyDeps, "tampered"> {
  readonly client: Client;
  readonly events: EventRecorder;
  readonly watched: WatchedNodes;
  /** Those that are in use now. */
  readonly settings: () => ProxySettings;
}

/** Starts them. The face listens nowhere yet. */
export function startServedNode(given: ProxyNode, work: Work, deps: ServedNodeDeps): ServedNode {
  const { client, events, watched, settings, source, log, clock } = deps;
  const { name, netns } = given;
  const place = { node: name, ...(netns === undefined ? {} : { netns }), log };

  const proxy = startNodeProxy(work, {
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
    freshness: proxy.freshness(),
    nodeEligible: watched.facts(name).isEligible,
    timeoutMs: 2 * settings().syncMs,
    now: clock.now(),
  });
  const face = createNodeFace({
    ...place,
    health(path) {
      const reply = replyHealth(path, health());
      proxy.metrics.answered(path, reply.status);
      return reply;
    },
    metrics: () => proxy.metrics.render({ noLocalEndpoints: countWithoutLocal(source.table(), name) }),
    mode: () => proxy.mode,
  });

  async function tellNotOpened(service: { namespace: string; name: string }, port: number, problem: string) {
    const found = await client.get("Service", service);
    const key = `${service.namespace}/${service.name}`;
    const text = `node ${name} failed to start healthcheck "${key}" on port ${port}: ${problem}`;
    if (found !== undefined) events.warning(found, "FailedToStartServiceHealthcheck", text);
  }

  const services = startServiceHealth({
    ...place,
    source,
    isHealthy: () => isHealthy(health()),
    failed: (...what) =>
      void tellNotOpened(...what).catch((error: unknown) => {
        log.debug({ node: name, error: String(error) }, "an Event was not written");
      }),
    clock,
  });
  return { given, proxy, face, services };
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
