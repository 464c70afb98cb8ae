import { parseAddress } from "#base/cidr.ts";
import { labelsOf, type WireName } from "#wire/dns/name.ts";

/**
 * The address that a pod's name spells (`10-244-1-9`), as CoreDNS reads it in its mode `insecure`: three dashes and no
 * two together are IPv4, otherwise dashes stand for colons. No pod needs to exist.
 */
export function podAddress(name: WireName): { family: 4 | 6; text: string } | undefined {
  const label = labelsOf(name)[0] ?? "";
  const dashes = label.split("-").length - 1;
  if (dashes === 0) return undefined;
  const dotted = dashes === 3 && !label.includes("--");
  const text = label.replaceAll("-", dotted ? "." : ":");
  const family = parseAddress(text)?.family;
  return family === undefined || (family === 4) !== dotted ? undefined : { family, text };
}
