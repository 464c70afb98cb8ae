import { cidrContains, formatAddress, formatCidr, parseAddress, parseCidr, type Address } from "#base/cidr.ts";

/** The rules for addresses in objects, with upstream's messages; each returns what is wrong with a value. */
export function checkAddress(value: string): string[] {
  return parseAddress(value) === undefined ? ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"] : [];
}

export function checkCidr(value: string): string[] {
  return parseCidr(value) === undefined ? ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"] : [];
}

/** For fields and names that are compared as text (upstream's `IsValidIP`). */
export function checkCanonicalAddress(value: string): string[] {
  const address = parseAddress(value);
  if (address === undefined) return checkAddress(value);
  return canonical(value, formatAddress(address));
}

/** Upstream's `IsValidCIDR`: no bits set behind the prefix, written as RFC 5952 has it. */
export function checkCanonicalCidr(value: string): string[] {
  const cidr = parseCidr(value);
  if (cidr === undefined) return checkCidr(value);
  const host = parseAddress(value.slice(0, value.indexOf("/")));
  if (host?.value !== cidr.base) return ["must not have bits set beyond the prefix length"];
  return canonical(value, formatCidr(cidr));
}

function canonical(value: string, form: string): string[] {
  return value === form ? [] : [`must be in canonical form (${JSON.stringify(form)})`];
}

/** Addresses of IPv4 written as IPv6 (RFC 4291 2.5.5.2) are what they are to the kernel. */
const special = [
  [["0.0.0.0/32", "::/128", "::ffff:0.0.0.0/128"], "may not be unspecified (0.0.0.0 or ::)"],
  [["127.0.0.0/8", "::1/128", "::ffff:127.0.0.0/104"], "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
  [
    ["169.254.0.0/16", "fe80::/10", "::ffff:169.254.0.0/112"],
    "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
  ],
  [["224.0.0.0/24", "ff02::/16"], "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"],
] as const;

/** An address that traffic can be sent to from anywhere: an endpoint, an external IP. */
export function checkEndpointAddress(value: string): string[] {
  const address = parseAddress(value);
  return address === undefined ? checkAddress(value) : checkNotSpecial(address);
}

function checkNotSpecial(address: Address): string[] {
  return special.filter(([ranges]) => ranges.some((range) => isIn(address, range))).map(([, message]) => message);
}

function isIn(address: Address, range: string): boolean {
  const cidr = parseCidr(range);
  return cidr !== undefined && cidrContains(cidr, address);
}

/** A text for a `Warning:` header when an address is written in an unusual way. */
export function warnAboutAddress(path: string, value: string): string[] {
  const address = parseAddress(value);
  const canonical = address === undefined ? value : formatAddress(address);
  if (canonical === value) return [];
  return [`${path}: IPv6 address "${value}" should be in RFC 5952 canonical format ("${canonical}")`];
}

/** A text for a `Warning:` header when a range has host bits set or is written in an unusual way. */
export function warnAboutCidr(path: string, value: string): string[] {
  const cidr = parseCidr(value);
  if (cidr === undefined || formatCidr(cidr) === value) return [];
  const address = value.slice(0, value.indexOf("/"));
  const host = parseAddress(address);
  if (host !== undefined && host.value === cidr.base) {
    return [`${path}: IPv6 CIDR value "${value}" should be in RFC 5952 canonical format ("${formatCidr(cidr)}")`];
  }
  const single = `${address}/${cidr.family === 4 ? 32 : 128}`;
  return [
    `${path}: CIDR value "${value}" is ambiguous in this context (should be "${formatCidr(cidr)}" or "${single}"?)`,
  ];
}
