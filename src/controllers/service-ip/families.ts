import { parseAddress } from "#base/cidr.ts";
import type { FieldError } from "#api/meta/field-error.ts";
import type { IpFamily, Service } from "#api/core/service/kind.ts";

/**
 * Fills `ipFamilies` and `ipFamilyPolicy` in place as upstream's service registry does on a cluster of one family
 * (`pkg/registry/core/service/storage/alloc.go`), and answers what such a cluster cannot do. A headless Service without
 * selector lists both families even there, so that hand-made slices of either kind fit.
 */
export function fillIpFamilies(service: Service, family: IpFamily): FieldError[] {
  const { spec } = service;
  if (spec.type === "ExternalName") return [];
  const addresses = (spec.clusterIPs ?? []).filter((text) => text !== "None");
  const inferred = addresses.map((text) => familyOf(text)).filter((found) => found !== undefined);
  let families = spec.ipFamilies?.length ? spec.ipFamilies : inferred;
  if (spec.clusterIP === "None" && Object.keys(spec.selector ?? {}).length === 0) {
    if (families.length === 0) families = [family];
    if (families.length < 2 && spec.ipFamilyPolicy !== "SingleStack")
      families = [...families, otherFamily(families[0])];
    spec.ipFamilies = families;
    spec.ipFamilyPolicy ??= "RequireDualStack";
    return [];
  }
  const errors: FieldError[] = [];
  if (spec.ipFamilyPolicy === "RequireDualStack") {
    const detail = "this cluster is not configured for dual-stack services";
    errors.push({ type: "Invalid", path: "spec.ipFamilyPolicy", value: spec.ipFamilyPolicy, detail });
  }
  for (const [index, asked] of (spec.ipFamilies ?? []).entries()) {
    // Words that are no family at all are left to validation.
    if (asked !== otherFamily(family)) continue;
    const detail = "not configured on this cluster";
    errors.push({ type: "Invalid", path: `spec.ipFamilies[${index}]`, value: asked, detail });
  }
  for (const [index, text] of addresses.entries()) {
    const found = familyOf(text);
    if (found === undefined || found === family) continue;
    const detail = `${found} is not configured on this cluster`;
    errors.push({ type: "Invalid", path: `spec.clusterIPs[${index}]`, value: spec.clusterIPs, detail });
  }
  if (errors.length > 0) return errors;
  spec.ipFamilies = families.length === 0 ? [family] : families;
  spec.ipFamilyPolicy ??= "SingleStack";
  return [];
}

function familyOf(text: string): IpFamily | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : address.family === 4 ? "IPv4" : "IPv6";
}

function otherFamily(family: IpFamily | undefined): IpFamily {
  return family === "IPv6" ? "IPv4" : "IPv6";
}
