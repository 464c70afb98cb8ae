import { cidrContains, parseAddress, parseCidr, type Cidr } from "#base/cidr.ts";

/** Tests addresses against ranges (`10.0.0.0/8`, or one address); ranges that cannot be read are left out. */
export function compileRanges(ranges: readonly string[]): (address: string) => boolean {
  const cidrs = ranges.flatMap((range): Cidr[] => {
    const cidr = parseCidr(range.includes("/") ? range : `${range}/${range.includes(":") ? 128 : 32}`);
    return cidr === undefined ? [] : [cidr];
  });
  if (cidrs.length === 0) return () => false;
  return (text) => {
    const address = parseAddress(text);
    return address !== undefined && cidrs.some((cidr) => cidrContains(cidr, address));
  };
}
