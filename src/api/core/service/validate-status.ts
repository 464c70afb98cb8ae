import { parseAddress } from "#base/cidr.ts";
import { checkAddress } from "../../meta/addresses.ts";
import type { FieldError } from "../../meta/field-error.ts";
import { forbidden, invalids, invalidValue, required, unlessOneOf } from "../../meta/field-errors.ts";
import { checkQualifiedName, checkSubdomain } from "../../meta/names.ts";
import type { LoadBalancerStatus, Service } from "./kind.ts";

type Entry = NonNullable<LoadBalancerStatus["ingress"]>[number];

/** What a load balancer reports (upstream: `ValidateLoadBalancerStatus`). */
export function validateServiceStatus({ spec, status }: Service): FieldError[] {
  const entries = status?.loadBalancer?.ingress ?? [];
  const path = "status.loadBalancer.ingress";
  if (entries.length > 0 && spec.type !== "LoadBalancer") {
    return [forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  return entries.flatMap((entry, index) => [
    ...validateBalancerEntry(entry, `${path}[${index}]`),
    ...validateMode(entry, `${path}[${index}].ipMode`),
  ]);
}

/** The part that Services and Ingresses share. */
export function validateBalancerEntry({ ip, hostname, ports = [] }: Entry, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (ip) errors.push(...invalids(`${path}.ip`, ip, checkAddress(ip)));
  if (hostname) {
    errors.push(...invalids(`${path}.hostname`, hostname, checkSubdomain(hostname)));
    if (parseAddress(hostname) !== undefined) {
      errors.push(invalidValue(`${path}.hostname`, hostname, "must be a DNS name, not an IP address"));
    }
  }
  for (const [index, { error }] of ports.entries()) {
    if (error !== undefined)
      errors.push(...invalids(`${path}.ports[${index}].error`, error, checkQualifiedName(error)));
  }
  return errors;
}

function validateMode({ ip, ipMode }: Entry, path: string): FieldError[] {
  if (!ip) return ipMode === undefined ? [] : [forbidden(path, "may not be specified when `ip` is not set")];
  if (ipMode === undefined) return [required(path, "must be specified when `ip` is set")];
  return unlessOneOf(path, ipMode, ["Proxy", "VIP"]);
}
