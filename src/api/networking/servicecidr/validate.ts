import { parseCidr } from "#base/cidr.ts";
import { checkCanonicalCidr } from "../../meta/addresses.ts";
import type { FieldError } from "../../meta/field-error.ts";
import { immutable, invalids, invalidValue, required } from "../../meta/field-errors.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import type { ServiceCIDR } from "./kind.ts";

const path = "spec.cidrs";
const exclusive = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";

export function validateServiceCidr(serviceCidr: ServiceCIDR): FieldError[] {
  return [...validateMetadata(serviceCidr, false), ...validateRanges(serviceCidr.spec.cidrs ?? [])];
}

function validateRanges(cidrs: readonly string[]): FieldError[] {
  if (cidrs.length === 0) return [required(path, "at least one CIDR required")];
  if (cidrs.length > 2) return [invalidValue(path, { CIDRs: cidrs }, "may only hold up to 2 values")];
  const families = new Set(cidrs.map((text) => parseCidr(text)?.family));
  if (cidrs.length === 2 && (families.size < 2 || families.has(undefined))) {
    return [invalidValue(path, { CIDRs: cidrs }, exclusive)];
  }
  return cidrs.flatMap((text, index) => invalids(`${path}[${index}]`, text, checkCanonicalCidr(text)));
}

/** A second family may be added; nothing else of the ranges changes (upstream: `ValidateServiceCIDRUpdate`). */
export function validateServiceCidrUpdate(next: ServiceCIDR, before: ServiceCIDR): FieldError[] {
  return [...validateMetadataUpdate(next, before), ...validateRangesUpdate(next.spec.cidrs ?? [], before.spec.cidrs)];
}

function validateRangesUpdate(next: readonly string[], before: readonly string[] = []): FieldError[] {
  if (next.length === before.length || (before.length === 1 && next.length === 2)) {
    return before.flatMap((text, index) => immutable(`${path}[${index}]`, next[index], text));
  }
  return immutable(path, next, before);
}
