import { parseAddress } from "#base/cidr.ts";

/** Data of an A or AAAA record; `undefined` when the text is no address of that family. */
export function addressData(text: string, family: 4 | 6): Uint8Array | undefined {
  const address = parseAddress(text);
  if (address?.family !== family) return undefined;
  return Buffer.from(address.value.toString(16).padStart(family === 4 ? 8 : 32, "0"), "hex");
}
