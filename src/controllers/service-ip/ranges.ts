import { cidrContains, parseAddress, parseCidr, type Address, type Cidr } from "#base/cidr.ts";
import { findCondition } from "#api/meta/condition.ts";
import { defaultServiceCidr, type ServiceCIDR } from "#api/networking/servicecidr/kind.ts";

/** The ranges of a ServiceCIDR; what is no range is left out. */
export function rangesOf({ spec }: ServiceCIDR): Cidr[] {
  return (spec.cidrs ?? []).map((text) => parseCidr(text)).filter((cidr) => cidr !== undefined);
}

/**
 * The ranges that new addresses may come from: of every ServiceCIDR that neither goes nor says that it is not ready
 * (upstream takes one without a condition for ready too). The default comes first, then the oldest.
 */
export function openRanges(serviceCidrs: readonly ServiceCIDR[]): Cidr[] {
  return serviceCidrs.filter(isOpen).sort(byAge).flatMap(rangesOf);
}

function isOpen({ metadata, status }: ServiceCIDR): boolean {
  const ready = findCondition(status?.conditions, "Ready");
  return metadata.deletionTimestamp === undefined && (ready === undefined || ready.status === "True");
}

function byAge(a: ServiceCIDR, b: ServiceCIDR): number {
  const key = ({ metadata: { name, creationTimestamp } }: ServiceCIDR) =>
    `${name === defaultServiceCidr ? 0 : 1} ${creationTimestamp} ${name}`;
  return key(a) < key(b) ? -1 : 1;
}

/** The ServiceCIDRs one of whose ranges holds the address. */
export function holdersOf(serviceCidrs: readonly ServiceCIDR[], text: string): ServiceCIDR[] {
  const address: Address | undefined = parseAddress(text);
  if (address === undefined) return [];
  return serviceCidrs.filter((serviceCidr) => rangesOf(serviceCidr).some((cidr) => cidrContains(cidr, address)));
}
