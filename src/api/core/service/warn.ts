import { parseAddress } from "#base/cidr.ts";
import { warnAboutAddress, warnAboutCidr } from "../../meta/addresses.ts";
import type { Service, ServiceSpec } from "./kind.ts";
import { isHeadless } from "./validate.ts";

const hintsModeBefore = "service.kubernetes.io/topology-aware-hints";

/** Texts for `Warning:` headers: what is allowed but will not do what one may think (upstream: `GetWarningsForService`). */
export function warnAboutService({ spec, metadata }: Service, before?: Service): string[] {
  return [
    ...(metadata.annotations?.[hintsModeBefore] === undefined
      ? []
      : [`metadata.annotations[${hintsModeBefore}]: please use service.kubernetes.io/topology-mode instead`]),
    ...(isHeadless(spec) ? warnAboutHeadless(spec) : []),
    ...warnAboutExternalName(spec),
    ...warnAboutExternalIps(spec, before?.spec),
    ...(spec.clusterIPs ?? []).flatMap((text, index) => warnAboutAddress(`spec.clusterIPs[${index}]`, text)),
    ...(spec.externalIPs ?? []).flatMap((text, index) => warnAboutAddress(`spec.externalIPs[${index}]`, text)),
    ...(spec.loadBalancerIP ? warnAboutAddress("spec.loadBalancerIP", spec.loadBalancerIP) : []),
    ...(spec.loadBalancerSourceRanges ?? []).flatMap((text, index) =>
      warnAboutCidr(`spec.loadBalancerSourceRanges[${index}]`, text.trim()),
    ),
    ...(spec.trafficDistribution === "PreferClose"
      ? ["spec.trafficDistribution: PreferClose is deprecated: use PreferSameZone instead"]
      : []),
  ];
}

function warnAboutHeadless({ externalIPs = [], loadBalancerIP, sessionAffinity }: ServiceSpec): string[] {
  const ignored = (field: string) => `${field} is ignored when spec.clusterIP is "None"`;
  return [
    ...(externalIPs.length > 0 ? [ignored("spec.externalIPs")] : []),
    ...(loadBalancerIP ? [ignored("spec.loadBalancerIP")] : []),
    ...(sessionAffinity === "ClientIP" ? ["spec.SessionAffinity is ignored for headless services"] : []),
  ];
}

function warnAboutExternalName({ type, externalName }: ServiceSpec): string[] {
  if (!externalName) return [];
  if (type !== "ExternalName") return ['spec.externalName is ignored when spec.type is not "ExternalName"'];
  if (parseAddress(externalName.replace(/\.$/, "")) === undefined) return [];
  return [
    "spec.externalName is an IP address; DNS clients will not resolve it. " +
      "To give an address a name, use a Service without a selector and an EndpointSlice",
  ];
}

function warnAboutExternalIps({ externalIPs = [] }: ServiceSpec, before: ServiceSpec | undefined): string[] {
  if (externalIPs.length === 0 || (before?.externalIPs ?? []).length > 0) return [];
  return [
    "spec.externalIPs is deprecated: whoever may create Services can take over any address with it; " +
      'use type "LoadBalancer" instead',
  ];
}
