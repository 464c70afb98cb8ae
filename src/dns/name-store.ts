import { packTexts, unpackTexts } from "#base/packed-texts.ts";
import type { Body } from "#wire/dns/body.ts";
import { labelsOf, type WireName } from "#wire/dns/name.ts";
import type { NameEntry } from "#routing/names/table.ts";
import { unpackEntry, unpackNames, type PackedEntry, type PackedNames } from "./entry.ts";

/** A name that somebody asked for, and its answers. */
export interface Holder {
  readonly entry: NameEntry;
  /** Few: most names are asked for one type or two. */
  bodies?: KeptBody[];
}

export interface KeptBody {
  /** Type and zone of the question. */
  readonly slot: number;
  readonly body: Body;
  readonly generation: number;
}

/** Names and their records, as small as they can be kept while nobody asks for them. */
export interface NameStore {
  /** The same holder for each question, until the name's records change or many other names were asked for. */
  get(name: WireName): Holder | undefined;
  has(name: WireName): boolean;
  write(changes: PackedNames): void;
  /** Lets go of all answers. */
  forget(): void;
  size(): number;
}

/** The names of a group as packed texts: first what they have before the group's own name, then their entries. */
type Group = readonly string[];

/** Names in one text of a group: it is read through for a name that was not asked for lately. */
const bucketSize = 24;
/** Names whose records and answers are at hand. */
const holderLimit = 10_000;

/**
 * `groupOf` gives an end of the name, all of it at most, that few other names have: the name of a Service, or of 256
 * addresses. Names of a group are kept together, since they have most of their text in common.
 */
export function createNameStore(groupOf: (name: WireName) => WireName): NameStore {
  const groups = new Map<WireName, Group>();
  const holders = new Map<WireName, Holder>();
  let oldest = holders.keys();
  let size = 0;

  function find(name: WireName): PackedEntry | undefined {
    const key = groupOf(name);
    const group = groups.get(key);
    if (group === undefined) return undefined;
    const before = name.slice(0, name.length - key.length);
    const texts = unpackTexts(group[bucketOf(before, group.length)] ?? "");
    const at = texts.indexOf(before);
    const count = texts.length / 2;
    return at === -1 || at >= count ? undefined : texts[at + count];
  }

  /** The oldest goes, wherever the last one was. */
  function keep(name: WireName, holder: Holder): void {
    if (holders.size >= holderLimit) {
      let { value: gone } = oldest.next();
      if (gone === undefined) {
        oldest = holders.keys();
        gone = oldest.next().value;
      }
      if (gone !== undefined) holders.delete(gone);
    }
    holders.set(name, holder);
  }

  function writeGroup(key: WireName, changes: ReadonlyMap<string, PackedEntry | undefined>): void {
    const entries = namesOf(groups.get(key) ?? []);
    size -= entries.size;
    for (const [before, entry] of changes) {
      holders.delete(before + key);
      if (entry === undefined) entries.delete(before);
      else entries.set(before, entry);
    }
    size += entries.size;
    if (entries.size === 0) groups.delete(key);
    else groups.set(flat(key), packGroup(entries));
  }

  return {
    get(name) {
      const held = holders.get(name);
      if (held !== undefined) return held;
      const packed = find(name);
      if (packed === undefined) return undefined;
      const holder: Holder = { entry: unpackEntry(labelsOf(name).join("."), packed) };
      keep(name, holder);
      return holder;
    },
    has: (name) => holders.has(name) || find(name) !== undefined,
    write(changes) {
      const byGroup = new Map<WireName, Map<string, PackedEntry | undefined>>();
      for (const [name, entry] of unpackNames(changes)) {
        const key = groupOf(name);
        const own = byGroup.get(key) ?? new Map<string, PackedEntry | undefined>();
        own.set(name.slice(0, name.length - key.length), entry);
        byGroup.set(key, own);
      }
      for (const [key, own] of byGroup) writeGroup(key, own);
    },
    forget() {
      for (const holder of holders.values()) delete holder.bodies;
    },
    size: () => size,
  };
}

function namesOf(group: Group): Map<string, PackedEntry> {
  const entries = new Map<string, PackedEntry>();
  for (const bucket of group) {
    const texts = unpackTexts(bucket);
    const count = texts.length / 2;
    for (let at = 0; at < count; at++) entries.set(texts[at] as string, texts[at + count] as PackedEntry);
  }
  return entries;
}

function packGroup(entries: ReadonlyMap<string, PackedEntry>): Group {
  const count = Math.ceil(entries.size / bucketSize);
  const buckets = Array.from({ length: count }, () => ({ names: [] as string[], packed: [] as PackedEntry[] }));
  for (const [before, entry] of entries) {
    const bucket = buckets[bucketOf(before, count)];
    bucket?.names.push(before);
    bucket?.packed.push(entry);
  }
  return buckets.map(({ names, packed }) => packTexts([...names, ...packed]));
}

/** FNV-1a, as spread as it must be for names that differ in a digit. */
function bucketOf(text: string, count: number): number {
  if (count === 1) return 0;
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 8) % count;
}

/** A text of its own: a part of another one would keep that one whole. */
function flat(text: WireName): WireName {
  return Buffer.from(text, "latin1").toString("latin1");
}

/** The end of a name that has so many labels, or all of it. */
export function lastLabels(name: WireName, count: number): WireName {
  let labels = 0;
  for (let at = 0; at < name.length; at += 1 + name.charCodeAt(at)) labels += 1;
  let at = 0;
  for (; labels > count; labels--) at += 1 + name.charCodeAt(at);
  return at === 0 ? name : name.slice(at);
}
