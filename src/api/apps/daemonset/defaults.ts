import { defaultPodTemplate } from "../../core/pod/defaults.ts";
import type { DaemonSet } from "./kind.ts";

/** The defaults of `apps/v1` (upstream: pkg/apis/apps/v1/defaults.go). */
export function defaultDaemonSet(set: DaemonSet): void {
  set.spec ??= {} as DaemonSet["spec"];
  const { spec } = set;
  // Stand in for what a client left out, so that validation can name it.
  spec.template ??= { spec: { containers: [] } };
  spec.template.spec ??= { containers: [] };
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= "RollingUpdate";
  if (spec.updateStrategy.type === "RollingUpdate") {
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
    spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
  set.status ??= noneScheduled();
  defaultPodTemplate(spec.template);
}

export function noneScheduled(): NonNullable<DaemonSet["status"]> {
  return { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 };
}
