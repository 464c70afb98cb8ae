import type { Clock } from "#base/clock.ts";
import { renderBody, type Body } from "#wire/dns/body.ts";
import { lowerName, type WireName } from "#wire/dns/name.ts";
import { flags, headerLength, rcodes, types } from "#wire/dns/numbers.ts";
import { parseMessage, type Message } from "#wire/dns/message.ts";
import type { ResourceRecord } from "#wire/dns/record.ts";
import { renderQuery } from "#wire/dns/response.ts";
import type { DnsCounters } from "../metrics.ts";
import type { CacheSettings } from "../settings.ts";
import type { Asked } from "./sockets.ts";

/** An answer from outside, ready to be written. */
export interface Resolved {
  readonly rcode: number;
  /** With the TTLs of now; `answersOf` reads its records. */
  readonly body: Body;
  /** Seconds that it may still be kept. */
  readonly ttl: number;
  readonly truncated: boolean;
  readonly authenticData: boolean;
}

/** What is kept of a question. */
export interface Found {
  readonly resolved: Resolved;
  /** Asked often and near its end: worth to be asked for again now. Said once. */
  readonly refresh: boolean;
}

export interface Cache {
  get(key: string): Found | undefined;
  /** An answer whose time is over, as long as it is still better than none (RFC 8767); counts as given. */
  stale(key: string): Resolved | undefined;
  hasStale(key: string): boolean;
  /** Keeps the answer as long as it may be kept, and returns it as clients get it. */
  put(key: string, asked: Asked, message: Message): Resolved;
  /** Other rules from now on; what they would not have kept is let go. */
  configure(settings: CacheSettings): void;
  clear(): void;
  size(): number;
}

export interface CacheOptions extends CacheSettings {
  readonly clock: Clock;
  readonly counters: DnsCounters;
  /** Bytes of record data over all entries. */
  readonly byteLimit?: number;
}

interface Kept {
  readonly resolved: Resolved;
  readonly kind: "success" | "denial";
  readonly expires: number;
  readonly size: number;
  hits: number;
  refreshing: boolean;
}

/** What an answer whose time is over says of how long it may be kept (RFC 8767 5.1). */
const staleTtl = 30;

const failureTtl = 5;
const entryLimit = 16_384;
/** More than these may not fit a message. */
const addressLimit = 1_000;
const shapeLimit = 100;

export function cacheKey({ question, do: dnssec, cd }: Asked): string {
  return `${question.type} ${dnssec ? "d" : ""}${cd ? "c" : ""} ${lowerName(question.name)}`;
}

/**
 * Answers from outside for as long as the shortest of their TTLs, within bounds, and at most 30 s; all records of a
 * message show the same time left. Bounded in entries and in bytes; the oldest goes first. Nothing of the cluster's
 * own zone ever comes here.
 */
export function createCache({ clock, counters, byteLimit = 32 << 20, ...first }: CacheOptions): Cache {
  const kept = new Map<string, Kept>();
  /** Goes on where it was: a new one would pass all places of entries that went before it found the first. */
  let oldest = kept.keys();
  let bytes = 0;
  let capacity = 9_984;
  let maxTtl = 30;
  let maxNegativeTtl = 30;
  let minTtl = 5;
  let staleFor = 0;
  let prefetch: CacheSettings["prefetch"];
  configure(first);

  function configure(settings: CacheSettings): void {
    ({ capacity = 9_984, maxTtlSeconds: maxTtl = 30, minTtlSeconds: minTtl = 5, prefetch } = settings);
    maxNegativeTtl = settings.maxNegativeTtlSeconds ?? maxTtl;
    staleFor = (settings.serveStaleSeconds ?? 0) * 1000;
    makeRoom(0, 0);
  }

  function drop(key: string): void {
    const found = kept.get(key);
    if (found === undefined) return;
    bytes -= found.size;
    kept.delete(key);
    counters.cacheEntries[found.kind] -= 1;
  }

  /** For so many more entries and bytes. */
  function makeRoom(entries: number, size: number): void {
    while (kept.size + entries > capacity || bytes + size > byteLimit) {
      let { value: key } = oldest.next();
      if (key === undefined) {
        oldest = kept.keys();
        key = oldest.next().value;
      }
      if (key === undefined) return;
      drop(key);
      counters.cacheEvictions += 1;
    }
  }

  function hasStale(key: string): boolean {
    const found = kept.get(key);
    return found?.kind === "success" && found.expires + staleFor > clock.monotonic();
  }

  function mayRefresh(found: Kept, left: number): boolean {
    found.hits += 1;
    if (prefetch === undefined || found.refreshing || found.kind === "denial") return false;
    if (found.hits < prefetch.hits || left * 100 > found.resolved.ttl * prefetch.percent) return false;
    found.refreshing = true;
    return true;
  }

  return {
    get(key) {
      const found = kept.get(key);
      const left = found === undefined ? 0 : Math.ceil((found.expires - clock.monotonic()) / 1000);
      if (found === undefined || left <= 0) {
        if (found !== undefined && found.expires + staleFor <= clock.monotonic()) drop(key);
        counters.cacheMisses += 1;
        return undefined;
      }
      counters.cacheHits[found.kind] += 1;
      const { resolved } = found;
      setTtls(resolved.body, left);
      return { resolved: { ...resolved, ttl: left }, refresh: mayRefresh(found, left) };
    },
    hasStale,
    stale(key) {
      const found = kept.get(key);
      if (found === undefined || !hasStale(key)) return undefined;
      setTtls(found.resolved.body, staleTtl);
      counters.cacheStale += 1;
      return { ...found.resolved, ttl: staleTtl };
    },
    put(key, { question }, message) {
      const judged = judge(message, question.type);
      const limit = judged?.kind === "denial" ? maxNegativeTtl : maxTtl;
      const ttl = Math.min(limit, Math.max(minTtl, judged?.ttl ?? 0));
      const { rcode } = message;
      const body = addressBody(question.name, message) ?? renderBody(question.name, message);
      if (judged === undefined) capTtls(body, maxTtl);
      else setTtls(body, ttl);
      const truncated = (message.flags & flags.TC) !== 0;
      const authenticData = (message.flags & flags.AD) !== 0;
      const resolved = { rcode, body, ttl: judged === undefined ? 0 : ttl, truncated, authenticData };
      const size = body.bytes.length * 2 + key.length + 200;
      drop(key);
      if (judged === undefined || size > entryLimit || ttl === 0 || capacity === 0) return resolved;
      makeRoom(1, size);
      const expires = clock.monotonic() + ttl * 1000;
      kept.set(key, { resolved, kind: judged.kind, expires, size, hits: 0, refreshing: false });
      bytes += size;
      counters.cacheEntries[judged.kind] += 1;
      return resolved;
    },
    configure,
    clear() {
      kept.clear();
      bytes = 0;
      counters.cacheEntries.success = 0;
      counters.cacheEntries.denial = 0;
    },
    size: () => kept.size,
  };
}

/** Whether and how long a message may be kept (RFC 2308, and CoreDNS's rules for what is left open). */
function judge(message: Message, type: number): { kind: "success" | "denial"; ttl: number } | undefined {
  const { rcode, answers, authorities, additionals } = message;
  if (message.flags & flags.TC) return undefined;
  if (rcode === rcodes.SERVFAIL || rcode === rcodes.NOTIMP) return { kind: "denial", ttl: failureTtl };
  if (rcode !== rcodes.NOERROR && rcode !== rcodes.NXDOMAIN) return undefined;
  const answered = rcode === rcodes.NOERROR && answers.some((record) => record.type === type || type === types.ANY);
  if (answered)
    return { kind: "success", ttl: Math.min(shortest(answers), shortest(authorities), shortest(additionals)) };
  const hasSoa = authorities.some((record) => record.type === types.SOA);
  return hasSoa ? { kind: "denial", ttl: Math.min(shortest(answers), shortest(authorities)) } : undefined;
}

function shortest(records: readonly ResourceRecord[]): number {
  // A TTL with the highest bit set counts as zero (RFC 2181 8).
  return records.reduce((least, { ttl }) => Math.min(least, ttl > 0x7fffffff ? 0 : ttl), Number.POSITIVE_INFINITY);
}

/**
 * The most usual answer, addresses of the asked name and nothing else, written straight away as `renderBody` would
 * write it; `undefined` for any other.
 */
function addressBody(asked: WireName, { answers, authorities, additionals }: Message): Body | undefined {
  const [first] = answers;
  if (first === undefined || authorities.length + additionals.length > 0 || answers.length > addressLimit)
    return undefined;
  const { type, name } = first;
  if ((type !== types.A && type !== types.AAAA) || name === "" || lowerName(name) !== lowerName(asked))
    return undefined;
  if (answers.some((each) => each.type !== type || each.name !== name)) return undefined;
  const size = 12 + first.data.length;
  const bytes = new Uint8Array(size * answers.length);
  let start = 0;
  for (const { class: net, ttl, data } of answers) {
    bytes[start] = 0xc0;
    bytes[start + 1] = headerLength;
    bytes[start + 3] = type;
    bytes[start + 4] = net >> 8;
    bytes[start + 5] = net & 0xff;
    bytes[start + 6] = ttl >>> 24;
    bytes[start + 7] = (ttl >> 16) & 0xff;
    bytes[start + 8] = (ttl >> 8) & 0xff;
    bytes[start + 9] = ttl & 0xff;
    bytes[start + 11] = data.length;
    bytes.set(data, start + 12);
    start += size;
  }
  return { bytes, ...shapeOf(size, answers.length) };
}

type Shape = Omit<Body, "bytes">;

/** One for all answers of so many addresses of such a size: thousands are kept. */
const shapes = new Map<number, Shape>();

function shapeOf(size: number, count: number): Shape {
  const key = size * (addressLimit + 1) + count;
  const known = shapes.get(key);
  if (known !== undefined) return known;
  const starts = Array.from({ length: count }, (_, at) => at * size);
  const shape: Shape = {
    ends: starts.map((start) => start + size),
    ttls: starts.map((start) => start + 6),
    counts: [count, 0, 0],
    run: count > 1 ? { start: 0, size, count } : undefined,
  };
  if (shapes.size < shapeLimit) shapes.set(key, shape);
  return shape;
}

/** The records of an answer to this question. They are not kept beside the answer's bytes: few ask for them. */
export function answersOf({ body, rcode }: Resolved, { question }: Asked): readonly ResourceRecord[] {
  const query = renderQuery(0, question, { size: 0, edns: false });
  const message = new Uint8Array(query.length + body.bytes.length);
  message.set(query);
  message.set(body.bytes, query.length);
  const view = new DataView(message.buffer);
  view.setUint16(2, flags.QR | (rcode & 0xf));
  for (const [section, count] of body.counts.entries()) view.setUint16(6 + section * 2, count);
  return parseMessage(message)?.answers ?? [];
}

function setTtls({ bytes, ttls }: Body, ttl: number): void {
  for (const at of ttls) {
    bytes[at] = 0;
    bytes[at + 1] = 0;
    bytes[at + 2] = ttl >> 8;
    bytes[at + 3] = ttl & 0xff;
  }
}

function capTtls({ bytes, ttls }: Body, limit: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const at of ttls) if (view.getUint32(at) > limit) view.setUint32(at, limit);
}
