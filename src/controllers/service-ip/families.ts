import { parseAddress } from "#base/cidr.ts";
import type { FieldError } from "#api/meta/field-error.ts";
import type { IpFamily, Service, ServiceSpec } from "#api/core/service/kind.ts";

/**
 * Fills `ipFamilies` and `ipFamilyPolicy` in place as upstream's service registry does
 * (`pkg/registry/core/service/storage/alloc.go`), and answers what this cluster cannot do. `cluster`: its families, the
 * primary one first. A headless Service without selector lists both families even where there is one, so that hand-made
 * slices of either kind fit.
 */
export function fillIpFamilies(
  service: Service,
  before: Service | undefined,
  cluster: readonly [IpFamily, ...IpFamily[]],
): FieldError[] {
  const { spec } = service;
  if (spec.type === "ExternalName") return [];
  if (before !== undefined) {
    if (stillPrefersBoth(spec, before.spec)) return [];
    dropSecond(spec, before.spec);
  }
  const addresses = (spec.clusterIPs ?? []).filter((text) => text !== "None" && text !== "");
  let families = [...(spec.ipFamilies ?? [])];
  families = [...families, ...addresses.slice(families.length).flatMap((text) => familyOf(text) ?? [])];
  if (families.length === 0) families = [cluster[0]];
  if (spec.clusterIP === "None" && Object.keys(spec.selector ?? {}).length === 0) {
    if (families.length < 2 && spec.ipFamilyPolicy !== "SingleStack") families.push(otherFamily(families[0]));
    spec.ipFamilies = families;
    spec.ipFamilyPolicy ??= "RequireDualStack";
    return [];
  }
  const errors = findUnconfigured(spec, addresses, cluster);
  if (errors.length > 0) return errors;
  spec.ipFamilyPolicy ??= "SingleStack";
  const second = otherFamily(families[0]);
  const isAsked = spec.ipFamilyPolicy === "PreferDualStack" || spec.ipFamilyPolicy === "RequireDualStack";
  if (isAsked && families.length === 1 && cluster.includes(second)) families.push(second);
  spec.ipFamilies = families;
  return [];
}

/** A Service that prefers both families is not given a second one, or spared it, just because the cluster has changed. */
function stillPrefersBoth(next: ServiceSpec, before: ServiceSpec): boolean {
  const isSame = (field: "clusterIPs" | "ipFamilies") => sameList(next[field], before[field]);
  if (before.type === "ExternalName" || before.ipFamilyPolicy !== "PreferDualStack") return false;
  return next.ipFamilyPolicy === "PreferDualStack" && isSame("clusterIPs") && isSame("ipFamilies");
}

/** Who asks for one family again, and says nothing of addresses, loses the second one. */
function dropSecond(next: ServiceSpec, before: ServiceSpec): void {
  const wasDual = before.ipFamilyPolicy === "PreferDualStack" || before.ipFamilyPolicy === "RequireDualStack";
  if (!wasDual || next.ipFamilyPolicy !== "SingleStack") return;
  if (sameList(next.clusterIPs, before.clusterIPs)) next.clusterIPs = next.clusterIPs?.slice(0, 1);
  if (sameList(next.ipFamilies, before.ipFamilies)) next.ipFamilies = next.ipFamilies?.slice(0, 1);
}

function findUnconfigured(spec: ServiceSpec, addresses: readonly string[], cluster: readonly IpFamily[]): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.ipFamilyPolicy === "RequireDualStack" && cluster.length < 2) {
    const detail = "this cluster is not configured for dual-stack services";
    errors.push({ type: "Invalid", path: "spec.ipFamilyPolicy", value: spec.ipFamilyPolicy, detail });
  }
  for (const [index, asked] of (spec.ipFamilies ?? []).entries()) {
    // Words that are no family at all are left to validation.
    if (!known.includes(asked) || cluster.includes(asked)) continue;
    const detail = "not configured on this cluster";
    errors.push({ type: "Invalid", path: `spec.ipFamilies[${index}]`, value: asked, detail });
  }
  for (const [index, text] of addresses.entries()) {
    const found = familyOf(text);
    if (found === undefined || cluster.includes(found)) continue;
    const detail = `${found} is not configured on this cluster`;
    errors.push({ type: "Invalid", path: `spec.clusterIPs[${index}]`, value: spec.clusterIPs, detail });
  }
  return errors;
}

const known: readonly IpFamily[] = ["IPv4", "IPv6"];

function sameList(a: readonly string[] = [], b: readonly string[] = []): boolean {
  return a.join() === b.join();
}

function familyOf(text: string): IpFamily | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : address.family === 4 ? "IPv4" : "IPv6";
}

function otherFamily(family: IpFamily | undefined): IpFamily {
  return family === "IPv6" ? "IPv4" : "IPv6";
}
