import { formatAddress, parseAddress, type Family } from "#base/cidr.ts";

/** A number that is one, in its range; what the API let through is checked again before it goes into a command. */
export function whole(value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`not a number from ${least} to ${most}: ${JSON.stringify(value)}`);
}

const octet = "(?:0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])";
const addressPattern = new RegExp(`^${octet}(?:\\.${octet}){3}$`);

/** The text of an address of the family, which it is held to be: nothing else can get into a command. */
export function addressText(text: string, family: Family): string {
  if (family === 4 && addressPattern.test(text)) return text;
  const parsed = family === 6 ? parseAddress(text) : undefined;
  // Written anew, as the kernel's programs print it.
  if (parsed?.family === 6) return formatAddress(parsed);
  throw new Error(`not an IPv${family} address: ${JSON.stringify(text)}`);
}

/** The name of an interface, or the beginning of names before a `+`, as a command may hold it. */
export function interfaceText(text: string): string {
  if (isInterface(text)) return text;
  throw new Error(`not the name of an interface: ${JSON.stringify(text)}`);
}

/** Fifteen characters are all that the kernel has room for (linux/if.h). */
export function isInterface(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}\+?$/.test(text) && text.length <= 15;
}

/** How many bits an address has: the prefix of a range that holds only one. */
export const addressBits = { 4: 32, 6: 128 } as const satisfies Record<Family, number>;
