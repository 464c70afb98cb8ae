import { nameFromText } from "#wire/dns/name.ts";
import type { NameDiff, NameEntry, SrvRecord } from "#routing/names/table.ts";

/**
 * A name's records as one text, which is what a worker keeps of a name until somebody asks for it: a tenth of the
 * memory that objects take, and copied between threads at once. Empty for a branch of the zone.
 */
export type PackedEntry = string;

/** A wire name and its packed entry, one after the other; `undefined` removes it. */
export type PackedNames = readonly (string | undefined)[];

/** A difference on its way to a worker: few large lists, so that the worker is left with what it keeps. */
export interface PackedDiff {
  readonly packed: true;
  readonly names: PackedNames;
  readonly reverse: PackedNames;
  readonly serial: number;
  readonly revision: string;
  readonly more?: boolean;
}

interface Packed {
  readonly a?: readonly string[];
  readonly q?: readonly string[];
  /** Port, priority, weight and target of each record; 0 for the name itself. */
  readonly s?: readonly (string | number)[];
  readonly p?: readonly string[];
  readonly c?: string;
  readonly t?: readonly string[];
}

/** Before a target: one PTR record and nothing else, as most addresses have. No JSON begins so. */
const pointer = ">";

export function packDiff({ names, reverse, serial, revision, more = false }: NameDiff): PackedDiff {
  return { packed: true, names: packNames(names), reverse: packNames(reverse), serial, revision, more };
}

function packNames(entries: NameDiff["names"]): PackedNames {
  const packed: (string | undefined)[] = [];
  for (const [text, entry] of entries) {
    const name = nameFromText(text);
    if (name !== undefined) packed.push(name, entry && packEntry(text, entry));
  }
  return packed;
}

/** Without its reasons: answers need none. */
export function packEntry(name: string, { a, aaaa, srv, ptr, cname, txt }: NameEntry): PackedEntry {
  const s = srv?.flatMap((one) => [one.port, one.priority, one.weight, one.target === name ? 0 : one.target]);
  if (ptr?.length === 1) return pointer + (ptr[0] as string);
  if ((a ?? aaaa ?? srv ?? ptr ?? cname ?? txt) === undefined) return "";
  return JSON.stringify({ a, q: aaaa, s, p: ptr, c: cname, t: txt } satisfies Packed);
}

export function unpackEntry(name: string, packed: PackedEntry): NameEntry {
  if (packed === "") return {};
  if (packed.startsWith(pointer)) return { ptr: [packed.slice(1)] };
  const { a, q, s, p, c, t } = JSON.parse(packed) as Packed;
  const srv: SrvRecord[] = [];
  for (let at = 0; s !== undefined && at < s.length; at += 4) {
    const [port, priority, weight, target] = s.slice(at, at + 4);
    srv.push({
      port: Number(port),
      priority: Number(priority),
      weight: Number(weight),
      target: typeof target === "string" ? target : name,
    });
  }
  return { a, aaaa: q, ptr: p, cname: c, txt: t, ...(s !== undefined && { srv }) };
}
