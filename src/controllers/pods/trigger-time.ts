import { findCondition } from "#api/meta/condition.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import { keyOf } from "#api/meta/object.ts";

/**
 * Remembers, for each Service, which changes its endpoints already reflect, and answers the earliest change that they
 * do not (`staging/src/k8s.io/endpointslice/trigger_time_tracker.go`); proxies measure their latency from it.
 */
export interface TriggerTimes {
  /** RFC 3339, or `undefined` when nothing newer is known. */
  next(service: Service, pods: readonly Pod[]): string | undefined;
  forget(serviceKey: string): void;
}

export function createTriggerTimes(): TriggerTimes {
  const known = new Map<string, { service: string; pods: Map<string, string> }>();
  return {
    next(service, pods) {
      const key = keyOf(service);
      const before = known.get(key);
      const created = service.metadata.creationTimestamp ?? "";
      const times = new Map<string, string>();
      const newer: string[] = [];
      for (const pod of pods) {
        const at = findCondition(pod.status?.conditions, "Ready")?.lastTransitionTime;
        if (at === undefined) continue;
        times.set(pod.metadata.name, at);
        if (before !== undefined && at > (before.pods.get(pod.metadata.name) ?? "")) newer.push(at);
      }
      if (created > (before?.service ?? "")) newer.push(created);
      known.set(key, { service: created, pods: times });
      return newer.sort()[0];
    },
    forget: (serviceKey) => known.delete(serviceKey),
  };
}
