import { triggerTimeAnnotation } from "#api/discovery/endpointslice/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import type { ObjectChange } from "#routing/names/compile.ts";
import { createHistogram, observe, programmingBuckets, type ProgrammingDurations } from "./metrics.ts";

/** How long it takes from a pod's change to the answer that shows it (SIG Scalability's DNS programming latency). */
export interface Programming {
  slice(change: ObjectChange<EndpointSlice>, service: Service | undefined): void;
  /** Answers show all slices that were told. */
  shown(now: number): void;
  readonly durations: ProgrammingDurations;
}

export function createProgramming(): Programming {
  const durations: ProgrammingDurations = {
    cluster_ip: createHistogram(programmingBuckets),
    headless_with_selector: createHistogram(programmingBuckets),
    headless_without_selector: createHistogram(programmingBuckets),
  };
  let waiting: { readonly kind: keyof ProgrammingDurations; readonly since: number }[] = [];
  return {
    slice({ before, after }, service) {
      const time = after?.metadata.annotations?.[triggerTimeAnnotation];
      // Changes of something else keep the time of the last one.
      if (service === undefined || time === undefined || time === before?.metadata.annotations?.[triggerTimeAnnotation])
        return;
      const since = Date.parse(time);
      if (!Number.isNaN(since)) waiting.push({ kind: kindOf(service), since });
    },
    shown(now) {
      for (const { kind, since } of waiting) {
        observe(durations[kind], programmingBuckets, Math.max(0, now - since) / 1000);
      }
      waiting = [];
    },
    durations,
  };
}

function kindOf({ spec }: Service): keyof ProgrammingDurations {
  if (spec.clusterIP !== "None" && spec.clusterIPs?.[0] !== "None") return "cluster_ip";
  const isSelecting = Object.keys(spec.selector ?? {}).length > 0;
  return isSelecting ? "headless_with_selector" : "headless_without_selector";
}
