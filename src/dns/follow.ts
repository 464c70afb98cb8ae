import type { WireName } from "#wire/dns/name.ts";
import { lowerName } from "#wire/dns/name.ts";
import { types } from "#wire/dns/numbers.ts";
import { nameData, record, type ResourceRecord } from "#wire/dns/record.ts";
import type { Asked } from "./forward/sockets.ts";
import { answersOf } from "./forward/cache.ts";
import type { Resolution, Resolver } from "./forward/resolve.ts";
import type { Hosts } from "./hosts.ts";
import type { Zone } from "./zone.ts";

export interface Followed {
  /** The CNAME first, then what it leads to; empty when it leads nowhere inside the zone. */
  readonly answers: readonly ResourceRecord[];
  readonly truncated: boolean;
}

/** Longer chains are taken for circles. */
const chainLimit = 10;
const nowhere: Followed = { answers: [], truncated: false };

/**
 * Follows an ExternalName to addresses of the asked type: inside the zone by its own names, outside by asking upstream.
 * A target outside without an answer leaves the CNAME alone; a target inside that does not exist, a circle, and a chain
 * that is too long leave nothing, as CoreDNS answers them.
 */
export async function followExternalName(
  zone: Zone,
  resolver: Resolver,
  asked: Asked,
  hosts: Hosts,
): Promise<Followed> {
  const chain: ResourceRecord[] = [];
  const seen = new Set<WireName>();
  let { name } = asked.question;
  for (let target = zone.pointsTo(name); target !== undefined; target = zone.pointsTo(name)) {
    if (chain.length === chainLimit || seen.has(lowerName(name))) return nowhere;
    seen.add(lowerName(name));
    chain.push(record(name, types.CNAME, zone.ttl(), nameData(target)));
    name = target;
  }
  if (zone.owns(name)) {
    const addresses = zone.addresses(name, asked.question.type);
    return addresses.length === 0 ? nowhere : { answers: [...chain, ...addresses], truncated: false };
  }
  const host = hosts.addresses(lowerName(name), asked.question.type);
  if (host.length > 0) return { answers: [...chain, ...host.map((found) => ({ ...found, name }))], truncated: false };
  const outside: Asked = { ...asked, question: { ...asked.question, name: lowerName(name) } };
  if (!resolver.canAsk(outside.question.name)) return { answers: chain, truncated: false };
  const cached = resolver.cached(outside);
  const resolution =
    cached === undefined ? await resolveOutside(resolver, outside) : { got: "answer" as const, ...cached };
  if (resolution.got !== "answer") return { answers: chain, truncated: false };
  const answers = answersOf(resolution, outside).map((found) => ({
    ...found,
    ttl: resolution.ttl === 0 ? Math.min(found.ttl, zone.ttl()) : Math.min(resolution.ttl, zone.ttl()),
  }));
  return { answers: [...chain, ...answers], truncated: resolution.truncated };
}

function resolveOutside(resolver: Resolver, asked: Asked): Promise<Resolution> {
  return new Promise((resolve) => resolver.resolve(asked, resolve));
}
