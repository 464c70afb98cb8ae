import { renderBody, type Body } from "#wire/dns/body.ts";
import { isWithin, labelsOf, lowerName, nameFromText, parentOf, type WireName } from "#wire/dns/name.ts";
import { types } from "#wire/dns/numbers.ts";
import { nameData, record, srvData, txtData, type ResourceRecord } from "#wire/dns/record.ts";
import type { NameDiff, NameEntry } from "#routing/names/table.ts";
import { addressData } from "./address-data.ts";
import { packDiff, type PackedDiff } from "./entry.ts";
import { createNameStore, lastLabels, type Holder, type KeptBody } from "./name-store.ts";
import { createSoa, type Soa } from "./negative.ts";
import type { PodNames } from "./settings.ts";
import { podAddress } from "./pod-name.ts";

/** What the zone says to a question. */
export type Verdict =
  | { readonly says: "answer"; readonly body: Body }
  /** The name exists, a record of the type does not. */
  | { readonly says: "no-data"; readonly soa: Soa }
  | { readonly says: "no-name"; readonly soa: Soa }
  /** An ExternalName that must be followed. */
  | { readonly says: "follow" }
  /** The objects have not been read yet. */
  | { readonly says: "unknown-yet" }
  /** Not a name of this server. */
  | { readonly says: "outside" }
  /** A reverse name without a record here: others may know it, otherwise it does not exist. */
  | { readonly says: "outside-reverse"; readonly soa: Soa };

export interface Zone {
  /** `name` in lower case. */
  ask(name: WireName, type: number): Verdict;
  /** Address records of a name of the zone, for chains that lead to it. */
  addresses(name: WireName, type: number): readonly ResourceRecord[];
  /** Where an ExternalName points, or `undefined`. */
  pointsTo(name: WireName): WireName | undefined;
  owns(name: WireName): boolean;
  apply(diff: NameDiff | PackedDiff): void;
  /** Answers by other rules from now on; the names stay. */
  configure(rules: ZoneRules): void;
  /** The addresses that `ns.dns.<zone>` has. */
  setOwnAddresses(addresses: readonly string[]): void;
  isKnown(): boolean;
  size(): number;
  /** Seconds, now. */
  ttl(): number;
}

export interface ZoneRules {
  /** Seconds that answers may be kept; 30 as in the usual Corefile. */
  readonly ttlSeconds?: number;
  /** Seconds that it may be kept that there is no such name. */
  readonly negativeTtlSeconds?: number;
  /** `verified` and `disabled` answer by the names that were told, and by no other. */
  readonly pods?: PodNames;
  /** Further zones with the same names. */
  readonly zones?: readonly string[];
}

export interface ZoneOptions extends ZoneRules {
  /** Dotted text. */
  readonly zone: string;
  readonly selfService?: { readonly namespace: string; readonly name: string };
}

/** One of the zones that hold the names. */
interface Served {
  readonly wire: WireName;
  readonly soa: Soa;
  /** Of the bodies that are kept for it. */
  readonly number: number;
}

const versionTtl = 28_800;
const ip6 = wire("ip6.arpa");
const outside: Verdict = { says: "outside" };
const unknownYet: Verdict = { says: "unknown-yet" };

/**
 * The zone's names with their answers. An answer is rendered at its first question after a change and then kept as
 * bytes; a change of one name lets go of that name's answers only (and of those with other names' addresses in them).
 */
export function createZone({ zone: text, selfService, ...first }: ZoneOptions): Zone {
  const zone = lowerName(wire(text));
  const podBranch = wire("pod") + zone;
  const version = wire("dns-version") + zone;
  const selfName = selfService && wire(`${selfService.name}.${selfService.namespace}.svc`) + zone;
  // What a Service has is kept together; a pod's name stands alone.
  const serviceDepth = labelsOf(zone).length + 3;
  const names = createNameStore((name) => lastLabels(name, serviceDepth));
  const reverse = createNameStore(addressBlock);
  const builtIn = new Map<WireName, Holder>();
  let ttl = 30;
  let pods: PodNames = "insecure";
  let primary: Served;
  /** The longest first, as they are looked for. */
  let served: readonly Served[] = [];
  let reverseZones: readonly Served[] = [];
  let generation = 0;
  let serial = 0;
  let known = false;

  configure(first);
  builtIn.set(version, { entry: { txt: ["1.1.0"] } });
  setOwnAddresses([]);

  function configure({ ttlSeconds = 30, negativeTtlSeconds, pods: mode = "insecure", zones = [] }: ZoneRules): void {
    ttl = ttlSeconds;
    pods = mode;
    const serve = (name: WireName, number: number): Served => {
      const soa = createSoa(name, ttl, negativeTtlSeconds);
      soa.setSerial(serial);
      return { wire: name, soa, number };
    };
    const all = [...new Set([zone, ...zones.map((name) => lowerName(wire(name)))])].map(serve);
    primary = all[0] as Served;
    served = all.toSorted((a, b) => b.wire.length - a.wire.length);
    reverseZones = ["in-addr.arpa", "ip6.arpa"].map((name) => serve(wire(name), 0));
    names.forget();
    reverse.forget();
    for (const holder of builtIn.values()) delete holder.bodies;
    generation += 1;
  }

  function setOwnAddresses(addresses: readonly string[]): void {
    const a = addresses.filter((address) => addressData(address, 4) !== undefined);
    const aaaa = addresses.filter((address) => addressData(address, 6) !== undefined);
    builtIn.set(wire("dns") + zone, { entry: {} });
    builtIn.set(wire("ns.dns") + zone, { entry: { a, aaaa } });
    generation += 1;
  }

  /** The zone that a name belongs to. */
  function ownerOf(name: WireName): Served | undefined {
    if (served.length === 1) return isWithin(name, zone) ? primary : undefined;
    return served.find((own) => isWithin(name, own.wire));
  }

  /** The name under which the cluster zone has it. */
  function keyOf(name: WireName, own: Served): WireName {
    return own === primary ? name : name.slice(0, name.length - own.wire.length) + zone;
  }

  /** A name of the cluster zone as `own` has it. */
  function within(own: Served, name: WireName): WireName {
    return own === primary || !isWithin(name, zone) ? name : name.slice(0, name.length - zone.length) + own.wire;
  }

  const find = (key: WireName) => names.get(key) ?? builtIn.get(key);

  function ask(name: WireName, type: number): Verdict {
    const own = ownerOf(name);
    if (own !== undefined) {
      const key = keyOf(name, own);
      if (!known && key !== version) return unknownYet;
      const holder = find(key);
      return holder === undefined ? askPod(name, key, type, own) : askHolder(name, type, holder, own);
    }
    for (const reversed of reverseZones) {
      if (!isWithin(name, reversed.wire)) continue;
      if (!known) return unknownYet;
      const holder = reverse.get(name);
      if (holder === undefined) return { says: "outside-reverse", soa: reversed.soa };
      const body = bodyOf(name, type, holder, primary);
      return body === undefined ? { says: "no-data", soa: reversed.soa } : { says: "answer", body };
    }
    return outside;
  }

  function askHolder(name: WireName, type: number, holder: Holder, own: Served): Verdict {
    if (holder.entry.cname !== undefined && (type === types.A || type === types.AAAA)) return { says: "follow" };
    const body = bodyOf(name, type, holder, own);
    return body === undefined ? { says: "no-data", soa: own.soa } : { says: "answer", body };
  }

  function askPod(name: WireName, key: WireName, type: number, own: Served): Verdict {
    const address = spelledPod(key);
    if (address === undefined) return { says: "no-name", soa: own.soa };
    const { family, text } = address;
    if (type !== (family === 4 ? types.A : types.AAAA)) return { says: "no-data", soa: own.soa };
    return { says: "answer", body: renderBody(name, { answers: addressRecords(name, type, [text]) }) };
  }

  /** The address in a pod's name, while pods are answered by that alone. */
  function spelledPod(key: WireName): ReturnType<typeof podAddress> {
    if (pods !== "insecure" || !isWithin(key, podBranch)) return undefined;
    const namespace = parentOf(key);
    return namespace === podBranch || !names.has(namespace) ? undefined : podAddress(key);
  }

  function bodyOf(name: WireName, type: number, holder: Holder, own: Served): Body | undefined {
    const slot = type | (own.number << 16);
    const kept = keptBody(holder, slot);
    if (kept !== undefined && (kept.generation === generation || !hasOthers(type))) return kept.body;
    const answers = recordsOf(name, type, holder.entry, own);
    if (answers.length === 0) return undefined;
    const targets = type === types.SRV ? answers.map(srvTarget) : nsTargets(name, type, own);
    const additionals = [...new Set(targets)].flatMap((target) => [
      ...addresses(target, types.A),
      ...addresses(target, types.AAAA),
    ]);
    const body = renderBody(name, { answers, additionals });
    holder.bodies = [...(holder.bodies ?? []).filter((other) => other.slot !== slot), { slot, body, generation }];
    return body;
  }

  /** Answers that hold the addresses of other names, or the serial: good until any name changes. */
  function hasOthers(type: number): boolean {
    return type === types.SRV || type === types.NS || type === types.SOA;
  }

  function nsTargets(name: WireName, type: number, own: Served): WireName[] {
    if (type !== types.NS || name !== own.wire) return [];
    const self = selfName !== undefined && find(selfName)?.entry.a ? selfName : wire("ns.dns") + zone;
    return [within(own, self)];
  }

  function recordsOf(name: WireName, type: number, entry: NameEntry, own: Served): ResourceRecord[] {
    switch (type) {
      case types.A:
        return addressRecords(name, type, entry.a);
      case types.AAAA:
        return addressRecords(name, type, entry.aaaa);
      case types.SRV:
        return (entry.srv ?? []).map(({ priority, weight, port, target }) =>
          record(name, type, ttl, srvData(priority, weight, port, within(own, wire(target)))),
        );
      case types.PTR:
        return (entry.ptr ?? []).map((target) => record(name, type, ttl, nameData(wire(target))));
      case types.TXT:
        return entry.txt === undefined ? [] : [record(name, type, versionTtl, txtData(entry.txt))];
      case types.CNAME:
        return entry.cname === undefined ? [] : [record(name, type, ttl, nameData(wire(entry.cname)))];
      case types.SOA:
        return name === own.wire ? [own.soa.record()] : [];
      case types.NS:
        return nsTargets(name, type, own).map((target) => record(name, type, ttl, nameData(target)));
      default:
        return [];
    }
  }

  function addressRecords(name: WireName, type: number, texts: readonly string[] = []): ResourceRecord[] {
    return texts.flatMap((address) => {
      const data = addressData(address, type === types.A ? 4 : 6);
      return data === undefined ? [] : [record(name, type, ttl, data)];
    });
  }

  function addresses(name: WireName, type: number): readonly ResourceRecord[] {
    const own = ownerOf(lowerName(name));
    if (own === undefined) return [];
    const key = keyOf(lowerName(name), own);
    const entry = find(key)?.entry;
    if (entry !== undefined) return addressRecords(name, type, type === types.A ? entry.a : entry.aaaa);
    const pod = spelledPod(key);
    return pod === undefined ? [] : addressRecords(name, type, [pod.text]);
  }

  return {
    ttl: () => ttl,
    ask,
    addresses,
    pointsTo(name) {
      const own = ownerOf(lowerName(name));
      const cname = own && find(keyOf(lowerName(name), own))?.entry.cname;
      return cname === undefined ? undefined : wire(cname);
    },
    owns: (name) => ownerOf(lowerName(name)) !== undefined,
    apply(diff) {
      const packed = "packed" in diff ? diff : packDiff(diff);
      names.write(packed.names);
      reverse.write(packed.reverse);
      serial = diff.serial;
      for (const { soa } of [...served, ...reverseZones]) soa.setSerial(serial);
      generation += 1;
      known ||= diff.more !== true;
    },
    configure,
    setOwnAddresses,
    isKnown: () => known,
    size: () => names.size(),
  };
}

/** 256 addresses beside one another: one label of IPv4's reverse names, two of IPv6's. */
function addressBlock(name: WireName): WireName {
  return lastLabels(name, name.endsWith(ip6) ? 32 : 5);
}

function keptBody({ bodies }: Holder, slot: number): KeptBody | undefined {
  if (bodies === undefined) return undefined;
  for (const kept of bodies) if (kept.slot === slot) return kept;
  return undefined;
}

function srvTarget({ data }: ResourceRecord): WireName {
  return Buffer.from(data.buffer, data.byteOffset + 6, data.length - 7).toString("latin1");
}

/** A name that was checked before it came here; one that does not fit DNS leads to the root, where nothing is. */
function wire(text: string): WireName {
  return nameFromText(text) ?? "";
}
