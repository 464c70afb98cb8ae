import type { RunningProxy } from "../loop.ts";
import type { Reply } from "./serve.ts";

type Freshness = ReturnType<RunningProxy["freshness"]>;

export interface ProxyHealth {
  /** How each family that the node is served in keeps up. */
  readonly families: Readonly<Partial<Record<"IPv4" | "IPv6", Freshness>>>;
  /** False while the node is being deleted or drained by the cluster autoscaler. */
  readonly nodeEligible: boolean;
  /** A change may wait this long before the proxy counts as unhealthy; upstream takes twice the sync period. */
  readonly timeoutMs: number;
  readonly now: number;
}

/** Whether no change has been waiting too long (upstream pkg/proxy/healthcheck `proxy_health.go`). */
export function isHealthy(health: ProxyHealth): boolean {
  return Object.values(health.families).every((freshness) => isFresh(freshness, health));
}

function isFresh({ waitingSince }: Freshness, { timeoutMs, now }: ProxyHealth): boolean {
  return waitingSince === undefined || now - waitingSince < timeoutMs;
}

/** `/healthz` is for load balancers and asks about the node as well; `/livez` is for whoever restarts the proxy. */
export function replyHealth(path: "healthz" | "livez", health: ProxyHealth): Reply {
  const { nodeEligible, families, now } = health;
  const isApplying = isHealthy(health);
  const isWell = isApplying && (path === "livez" || nodeEligible);
  const at = (ms: number) => new Date(ms).toISOString();
  // Recent as long as all is well, as it was when the rules were written again and again.
  const lastUpdated = at(isWell ? now : Math.min(...Object.values(families).map(({ appliedAt = 0 }) => appliedAt)));
  const status = Object.entries(families).map(([family, freshness]) => {
    const healthy = isFresh(freshness, health);
    return [family, { lastUpdated: at(isWell ? now : (freshness.appliedAt ?? 0)), healthy }];
  });
  const body = {
    lastUpdated,
    currentTime: at(now),
    ...(path === "healthz" && { nodeEligible }),
    healthy: isWell,
    status: Object.fromEntries(status),
  };
  return { status: isWell ? 200 : 503, type: "application/json", body: JSON.stringify(body) };
}

/**
 * What the health check node port of a Service answers (upstream `service_health.go`): 200 as long as the node has an
 * endpoint of its own and its proxy works.
 */
export function replyServiceHealth(
  { namespace, name }: { namespace: string; name: string },
  localEndpoints: number,
  serviceProxyHealthy: boolean,
): Reply {
  return {
    status: localEndpoints > 0 && serviceProxyHealthy ? 200 : 503,
    type: "application/json",
    headers: { "X-Load-Balancing-Endpoint-Weight": String(localEndpoints) },
    body: JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy }, undefined, "\t"),
  };
}
