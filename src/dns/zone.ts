import { emptyBody, renderBody, type Body } from "#wire/dns/body.ts";
import { isWithin, lowerName, nameFromText, parentOf, type WireName } from "#wire/dns/name.ts";
import { types } from "#wire/dns/numbers.ts";
import { nameData, record, srvData, txtData, type ResourceRecord } from "#wire/dns/record.ts";
import type { NameDiff, NameEntry } from "#routing/names/table.ts";
import { addressData } from "./address-data.ts";
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
  | { readonly says: "follow"; readonly target: WireName }
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
  apply(diff: NameDiff): void;
  /** The addresses that `ns.dns.<zone>` has. */
  setOwnAddresses(addresses: readonly string[]): void;
  isKnown(): boolean;
  size(): number;
  /** Seconds. */
  readonly ttl: number;
}

export interface ZoneOptions {
  /** Dotted text. */
  readonly zone: string;
  /** Seconds that answers may be kept; 30 as in the usual Corefile. */
  readonly ttl?: number;
  readonly pods?: PodNames;
  readonly selfService?: { readonly namespace: string; readonly name: string };
}

interface Holder {
  readonly entry: NameEntry;
  bodies?: Map<number, { readonly body: Body; readonly generation: number }>;
}

const versionTtl = 28_800;
const outside: Verdict = { says: "outside" };
const unknownYet: Verdict = { says: "unknown-yet" };

/**
 * The zone's names with their answers. An answer is rendered at its first question after a change and then kept as
 * bytes; a change of one name lets go of that name's answers only (and of those with other names' addresses in them).
 */
export function createZone({ zone: text, ttl = 30, pods = "insecure", selfService }: ZoneOptions): Zone {
  const zone = lowerName(wire(text));
  const podBranch = wire("pod") + zone;
  const soa = createSoa(zone, ttl);
  const reverseZones = ["in-addr.arpa", "ip6.arpa"].map((name) => ({
    wire: wire(name),
    soa: createSoa(wire(name), ttl),
  }));
  const names = new Map<WireName, Holder>();
  const reverse = new Map<WireName, Holder>();
  const builtIn = new Map<WireName, Holder>();
  const version = wire("dns-version") + zone;
  const noData: Verdict = { says: "no-data", soa };
  const noName: Verdict = { says: "no-name", soa };
  const selfName = selfService && wire(`${selfService.name}.${selfService.namespace}.svc`) + zone;
  let generation = 0;
  let known = false;

  names.set(version, { entry: { txt: ["1.1.0"] } });
  setOwnAddresses([]);

  function setOwnAddresses(addresses: readonly string[]): void {
    const a = addresses.filter((address) => addressData(address, 4) !== undefined);
    const aaaa = addresses.filter((address) => addressData(address, 6) !== undefined);
    builtIn.set(wire("dns") + zone, { entry: {} });
    builtIn.set(wire("ns.dns") + zone, { entry: { a, aaaa } });
    generation += 1;
  }

  const find = (name: WireName) => names.get(name) ?? builtIn.get(name);

  function ask(name: WireName, type: number): Verdict {
    const holder = names.get(name) ?? builtIn.get(name);
    if (holder !== undefined && (known || name === version)) return askHolder(name, type, holder);
    if (isWithin(name, zone)) return known ? askPod(name, type) : unknownYet;
    for (const reversed of reverseZones) {
      if (!isWithin(name, reversed.wire)) continue;
      if (!known) return unknownYet;
      const holder = reverse.get(name);
      if (holder === undefined) return { says: "outside-reverse", soa: reversed.soa };
      const body = bodyOf(name, type, holder);
      return body === undefined ? { says: "no-data", soa: reversed.soa } : { says: "answer", body };
    }
    return outside;
  }

  function askHolder(name: WireName, type: number, holder: Holder): Verdict {
    const { cname } = holder.entry;
    if (cname !== undefined && (type === types.A || type === types.AAAA))
      return { says: "follow", target: wire(cname) };
    const body = bodyOf(name, type, holder);
    return body === undefined ? noData : { says: "answer", body };
  }

  function askPod(name: WireName, type: number): Verdict {
    if (pods !== "insecure" || !isWithin(name, podBranch)) return noName;
    const namespace = parentOf(name);
    if (namespace === podBranch || !names.has(namespace)) return noName;
    const address = podAddress(name);
    if (address === undefined) return noName;
    const { family, text } = address;
    if (type !== (family === 4 ? types.A : types.AAAA)) return noData;
    return { says: "answer", body: renderBody(name, { answers: addressRecords(name, type, [text]) }) };
  }

  function bodyOf(name: WireName, type: number, holder: Holder): Body | undefined {
    const kept = holder.bodies?.get(type);
    const body = kept?.generation === generation || (kept && !hasOthers(type)) ? kept?.body : undefined;
    if (body !== undefined) return body === emptyBody ? undefined : body;
    const answers = recordsOf(name, type, holder.entry);
    const targets = type === types.SRV ? holder.entry.srv?.map(({ target }) => wire(target)) : nsTargets(name, type);
    const additionals = [...new Set(targets)].flatMap((target) => [
      ...addresses(target, types.A),
      ...addresses(target, types.AAAA),
    ]);
    const fresh = answers.length === 0 ? emptyBody : renderBody(name, { answers, additionals });
    if (answers.length > 0) (holder.bodies ??= new Map()).set(type, { body: fresh, generation });
    return fresh === emptyBody ? undefined : fresh;
  }

  /** Answers that hold the addresses of other names, or the serial: good until any name changes. */
  function hasOthers(type: number): boolean {
    return type === types.SRV || type === types.NS || type === types.SOA;
  }

  function nsTargets(name: WireName, type: number): WireName[] {
    if (type !== types.NS || name !== zone) return [];
    return [selfName !== undefined && find(selfName)?.entry.a ? selfName : wire("ns.dns") + zone];
  }

  function recordsOf(name: WireName, type: number, entry: NameEntry): ResourceRecord[] {
    switch (type) {
      case types.A:
        return addressRecords(name, type, entry.a);
      case types.AAAA:
        return addressRecords(name, type, entry.aaaa);
      case types.SRV:
        return (entry.srv ?? []).map(({ priority, weight, port, target }) =>
          record(name, type, ttl, srvData(priority, weight, port, wire(target))),
        );
      case types.PTR:
        return (entry.ptr ?? []).map((target) => record(name, type, ttl, nameData(wire(target))));
      case types.TXT:
        return entry.txt === undefined ? [] : [record(name, type, versionTtl, txtData(entry.txt))];
      case types.CNAME:
        return entry.cname === undefined ? [] : [record(name, type, ttl, nameData(wire(entry.cname)))];
      case types.SOA:
        return name === zone ? [soa.record()] : [];
      case types.NS:
        return nsTargets(name, type).map((target) => record(name, type, ttl, nameData(target)));
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
    const entry = find(lowerName(name))?.entry;
    return entry === undefined ? [] : addressRecords(name, type, type === types.A ? entry.a : entry.aaaa);
  }

  function write(into: Map<WireName, Holder>, changes: NameDiff["names"]): void {
    for (const [text, entry] of changes) {
      const name = nameFromText(text);
      if (name === undefined) continue;
      if (entry === undefined) into.delete(name);
      else into.set(name, { entry });
    }
  }

  return {
    ttl,
    ask,
    addresses,
    pointsTo(name) {
      const cname = find(lowerName(name))?.entry.cname;
      return cname === undefined ? undefined : wire(cname);
    },
    owns: (name) => isWithin(lowerName(name), zone),
    apply(diff) {
      write(names, diff.names);
      write(reverse, diff.reverse);
      for (const each of [soa, ...reverseZones.map((reversed) => reversed.soa)]) each.setSerial(diff.serial);
      generation += 1;
      known = true;
    },
    setOwnAddresses,
    isKnown: () => known,
    size: () => names.size,
  };
}

/** A name that was checked before it came here; one that does not fit DNS leads to the root, where nothing is. */
function wire(text: string): WireName {
  return nameFromText(text) ?? "";
}
