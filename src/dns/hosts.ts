import { formatAddress, parseAddress } from "#base/cidr.ts";
import { reverseName } from "#routing/names/endpoints.ts";
import { emptyBody, renderBody, type Body } from "#wire/dns/body.ts";
import { lowerName, nameFromText, type WireName } from "#wire/dns/name.ts";
import { types } from "#wire/dns/numbers.ts";
import { nameData, record, type ResourceRecord } from "#wire/dns/record.ts";
import { addressData } from "./address-data.ts";
import type { HostsSettings } from "./settings.ts";

/** Names that a configuration gives addresses, as a hosts file does; they come before all other names. */
export interface Hosts {
  /** The answer; `empty` for a name without such a record; `undefined` when the question goes on to the next part. */
  ask(name: WireName, type: number): Body | undefined;
  /** Records of a name that a chain leads to; none when it is no name of these. */
  addresses(name: WireName, type: number): readonly ResourceRecord[];
}

const usualTtl = 3_600;
const nobody: Hosts = { ask: () => undefined, addresses: () => [] };

/** A and AAAA of the names, PTR of the addresses (CoreDNS's plugin `hosts`). What is no name or address is passed over. */
export function createHosts(settings: HostsSettings | undefined): Hosts {
  if (settings === undefined || settings.entries.length === 0) return nobody;
  const { entries, ttlSeconds: ttl = usualTtl, fallthrough = false } = settings;
  const data = new Map<WireName, Map<number, Uint8Array[]>>();
  const bodies = new Map<string, Body>();

  function add(name: WireName | undefined, type: number, bytes: Uint8Array): void {
    if (name === undefined) return;
    const key = lowerName(name);
    const byType = data.get(key) ?? new Map<number, Uint8Array[]>();
    const same = byType.get(type) ?? [];
    if (!same.some((known) => Buffer.compare(known, bytes) === 0)) same.push(bytes);
    byType.set(type, same);
    data.set(key, byType);
  }

  for (const { address, names } of entries) {
    const parsed = parseAddress(address);
    const reverse = parsed && reverseName(formatAddress(parsed));
    const bytes = parsed && addressData(address, parsed.family);
    if (parsed === undefined || bytes === undefined) continue;
    for (const text of names) {
      const name = nameFromText(text);
      if (name === undefined) continue;
      add(name, parsed.family === 4 ? types.A : types.AAAA, bytes);
      if (reverse !== undefined) add(nameFromText(reverse), types.PTR, nameData(name));
    }
  }

  function addresses(name: WireName, type: number): readonly ResourceRecord[] {
    return (data.get(name)?.get(type) ?? []).map((bytes) => record(name, type, ttl, bytes));
  }

  return {
    addresses,
    ask(name, type) {
      const byType = data.get(name);
      if (byType === undefined) return undefined;
      const found = byType.get(type);
      if (found === undefined) return fallthrough ? undefined : emptyBody;
      const key = `${type} ${name}`;
      const body = bodies.get(key) ?? renderBody(name, { answers: addresses(name, type) });
      bodies.set(key, body);
      return body;
    },
  };
}
