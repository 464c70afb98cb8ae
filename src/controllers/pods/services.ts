import { isDeepStrictEqual } from "node:util";
import { keyOf } from "#api/meta/object.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import type { Change } from "#client/informer.ts";
import type { ControllerInformers } from "../informers.ts";
import { endpointFingerprint, serviceSelects } from "./endpoint.ts";

/** The keys of the Services that select the pod. */
export function servicesOf(informers: ControllerInformers, pod: Pod): string[] {
  const services = informers.of("Service").by("namespace", pod.metadata.namespace ?? "");
  return services.filter((service) => serviceSelects(service, pod)).map(keyOf);
}

/** The keys of the Services whose endpoints a change of a pod may alter. */
export function servicesTouchedBy(informers: ControllerInformers, change: Change<Pod>): string[] {
  const { before, after } = change;
  if (after === undefined) return servicesOf(informers, change.before);
  if (before === undefined) return servicesOf(informers, after);
  const relabelled = !isDeepStrictEqual(before.metadata.labels, after.metadata.labels);
  if (relabelled) return [...new Set([...servicesOf(informers, before), ...servicesOf(informers, after)])];
  return endpointFingerprint(before) === endpointFingerprint(after) ? [] : servicesOf(informers, after);
}
