import { packTexts, unpackTexts } from "#base/packed-texts.ts";
import { nameFromText, type WireName } from "#wire/dns/name.ts";
import type { NameDiff, NameEntry, SrvRecord } from "#routing/names/table.ts";

/**
 * A name's records as one text, which is what a worker keeps of a name until somebody asks for it: a tenth of the
 * memory that objects take, and copied between threads at once. Empty for a branch of the zone.
 */
export type PackedEntry = string;

/** Wire names and then the entry of each, `removed` for those that go; one packed text. */
export type PackedNames = string;

/** A difference on its way to a worker: few large texts, so that no thread is left with holes where it was. */
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

/** Instead of an entry: the name goes. No JSON is that. */
const removed = "-";

/** Before a target: one PTR record and nothing else, as most addresses have. No JSON begins so. */
const pointer = ">";

export function packDiff({ names, reverse, serial, revision, more = false }: NameDiff): PackedDiff {
  return { packed: true, names: packNames(names), reverse: packNames(reverse), serial, revision, more };
}

function packNames(entries: NameDiff["names"]): PackedNames {
  const names: WireName[] = [];
  const packed: PackedEntry[] = [];
  for (const [text, entry] of entries) {
    const name = nameFromText(text);
    if (name === undefined) continue;
    names.push(name);
    packed.push(entry === undefined ? removed : packEntry(text, entry));
  }
  return packTexts([...names, ...packed]);
}

/** Each name with its entry; `undefined` for those that go. */
export function* unpackNames(packed: PackedNames): Generator<[name: WireName, entry: PackedEntry | undefined]> {
  const texts = unpackTexts(packed);
  const count = texts.length / 2;
  for (let at = 0; at < count; at++) {
    const entry = texts[at + count];
    yield [texts[at] as WireName, entry === removed ? undefined : entry];
  }
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
