import { parseAddress } from "#base/cidr.ts";
import { checkAddress, checkCidr, checkEndpointAddress } from "../../meta/addresses.ts";
import type { FieldError } from "../../meta/field-error.ts";
import { duplicate, forbidden, invalids, invalidValue, notSupported, unlessOneOf } from "../../meta/field-errors.ts";
import type { IpFamily, Service, ServiceSpec } from "./kind.ts";

const families = ["IPv4", "IPv6"] as const;
const policies = ["PreferDualStack", "RequireDualStack", "SingleStack"] as const;
const rangesAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges";

/** Cluster addresses, address families and their policy must agree (upstream: `ValidateServiceClusterIPsRelatedFields`). */
export function validateAddresses(spec: ServiceSpec): FieldError[] {
  if (spec.type === "ExternalName") return validateNoAddresses(spec);
  const errors = validateFamilies(spec);
  const { clusterIP = "", clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  if (clusterIP === "" && clusterIPs.length > 0) {
    errors.push(invalidValue("spec.clusterIPs", clusterIPs, "must be empty when `clusterIP` is not specified"));
  }
  if (clusterIP !== "" && clusterIPs.length > 0 && clusterIPs[0] !== clusterIP) {
    errors.push(invalidValue("spec.clusterIPs", clusterIPs, "first value must match `clusterIP`"));
  }
  const given = clusterIPs.length > 0 ? clusterIPs : clusterIP === "" ? [] : [clusterIP];
  errors.push(...validateClusterIps(given, ipFamilies));
  const isDual = ipFamilyPolicy === "PreferDualStack" || ipFamilyPolicy === "RequireDualStack";
  for (const [several, what] of [
    [ipFamilies.length > 1, "IP families"],
    [given.length > 1, "cluster IPs"],
  ] as const) {
    if (!several || isDual) continue;
    const detail = `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`;
    errors.push(invalidValue("spec.ipFamilyPolicy", ipFamilyPolicy ?? "", detail));
  }
  return errors;
}

function validateNoAddresses(spec: ServiceSpec): FieldError[] {
  const detail = "may not be set for ExternalName services";
  const errors: FieldError[] = [];
  if (spec.clusterIP || spec.clusterIPs?.length) errors.push(forbidden("spec.clusterIPs", detail));
  if (spec.ipFamilies?.length) errors.push(forbidden("spec.ipFamilies", detail));
  if (spec.ipFamilyPolicy) errors.push(forbidden("spec.ipFamilyPolicy", detail));
  return errors;
}

function validateFamilies({ ipFamilies = [], ipFamilyPolicy }: ServiceSpec): FieldError[] {
  const errors = unlessOneOf("spec.ipFamilyPolicy", ipFamilyPolicy, policies);
  const seen = new Set<IpFamily>();
  for (const [index, family] of ipFamilies.entries()) {
    const path = `spec.ipFamilies[${index}]`;
    if (!families.includes(family)) errors.push(notSupported(path, family, families));
    if (seen.has(family)) errors.push(duplicate(path, family));
    seen.add(family);
  }
  return errors;
}

function validateClusterIps(clusterIps: readonly string[], ipFamilies: readonly IpFamily[]): FieldError[] {
  const path = "spec.clusterIPs";
  const errors: FieldError[] = [];
  if (clusterIps.length > 2) errors.push(invalidValue(path, clusterIps, "may only hold up to 2 values"));
  if (clusterIps.includes("None")) {
    if (clusterIps.length > 1) errors.push(invalidValue(path, clusterIps, "'None' must be the first and only value"));
    return errors;
  }
  const seen: IpFamily[] = [];
  for (const [index, text] of clusterIps.entries()) {
    const address = parseAddress(text);
    if (address === undefined) {
      errors.push(...invalids(`${path}[${index}]`, text, checkAddress(text)));
      continue;
    }
    const family = address.family === 4 ? "IPv4" : "IPv6";
    seen.push(family);
    const wanted = ipFamilies[index];
    if (wanted !== undefined && families.includes(wanted) && wanted !== family) {
      const detail = `expected an ${wanted} value as indicated by \`ipFamilies[${index}]\``;
      errors.push(invalidValue(`${path}[${index}]`, text, detail));
    }
  }
  if (seen.length > new Set(seen).size) {
    errors.push(invalidValue(path, clusterIps, "may specify no more than one IP for each IP family"));
  }
  return errors;
}

export function validateExternalIps({ externalIPs = [] }: ServiceSpec): FieldError[] {
  return externalIPs.flatMap((text, index) => {
    return invalids(`spec.externalIPs[${index}]`, text, checkEndpointAddress(text));
  });
}

/** The path is spelled with a capital letter by upstream, and clients have come to see it so. */
export function validateSourceRanges({ spec, metadata }: Service): FieldError[] {
  const only = "may only be used when `type` is 'LoadBalancer'";
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0) {
    const path = "spec.LoadBalancerSourceRanges";
    if (spec.type !== "LoadBalancer") return [forbidden(path, only)];
    return ranges.flatMap((range, index) => invalids(`${path}[${index}]`, range, checkCidr(range.trim())));
  }
  const text = metadata.annotations?.[rangesAnnotation];
  if (text === undefined || text.trim() === "") return [];
  const path = `metadata.annotations[${rangesAnnotation}]`;
  if (spec.type !== "LoadBalancer") return [forbidden(path, only)];
  return text.split(",").flatMap((range) => invalids(path, text, checkCidr(range.trim())));
}
