import { isDeepStrictEqual } from "node:util";
import { keyOf } from "#api/meta/object.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { Change } from "#client/informer.ts";
import { pairsOf, type ControllerInformers } from "../informers.ts";
import { endpointFingerprint, serviceSelects } from "./endpoint.ts";

/** The keys of the Services that select the pod. */
export function servicesOf(informers: ControllerInformers, pod: Pod): string[] {
  const services = informers.of("Service");
  // Each Service stands under one pair of its selector, so none is found twice.
  const found = pairsOf(pod.metadata.namespace, pod.metadata.labels).flatMap((pair) => services.by("selector", pair));
  return found.filter((service) => serviceSelects(service, pod)).map(keyOf);
}

/** The pods that the Service selects, looked up by the rarest pair of its selector. */
export function podsOf(informers: ControllerInformers, service: Service): Pod[] {
  const pods = informers.of("Pod");
  const [rarest = []] = pairsOf(service.metadata.namespace, service.spec.selector)
    .map((pair) => pods.by("label", pair))
    .sort((a, b) => a.length - b.length);
  return rarest.filter((pod) => serviceSelects(service, pod));
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
