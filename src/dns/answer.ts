import { emptyBody, renderBody, type Body } from "#wire/dns/body.ts";
import { classIn, flags, rcodeName, rcodes, typeName, types } from "#wire/dns/numbers.ts";
import { parseQuery, type Malformed, type Query } from "#wire/dns/query.ts";
import { writeMalformed, writeResponse } from "#wire/dns/response.ts";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { createErrorBudget } from "./error-budget.ts";
import { followExternalName } from "./follow.ts";
import type { Forwarder } from "./forward/forward.ts";
import type { Resolution, Resolver } from "./forward/resolve.ts";
import type { Asked } from "./forward/sockets.ts";
import { count, observe, type DnsCounters } from "./metrics.ts";
import type { Zone } from "./zone.ts";

export interface Source {
  readonly transport: "udp" | "tcp";
  readonly family: 4 | 6;
  readonly address: string;
  readonly port: number;
}

/**
 * Answers one packet: writes into `out` (`outSize` bytes) and returns the length. When others must be asked it returns
 * 0 and calls `later` once, in a later turn. What must not be answered returns `silence`. Never throws for anything a
 * client sends.
 */
export type Answerer = (
  packet: Uint8Array,
  source: Source,
  out: Uint8Array,
  later: (response: Uint8Array) => void,
) => number;

export const silence = -1;

/** Room for the largest body, its question and OPT, before it is cut. */
export const outSize = 65_535 + 300;

export interface AnswererOptions {
  readonly zone: Zone;
  readonly resolver: Resolver;
  readonly forwarder: Forwarder;
  readonly counters: DnsCounters;
  readonly clock: Clock;
  readonly log: Log;
  /** Between 0 and 1: the order of addresses. */
  readonly random: () => number;
}

interface Reply {
  readonly rcode: number;
  readonly body: Body;
  readonly authoritative: boolean;
  readonly truncated?: boolean;
  readonly authenticData?: boolean;
}

/** The largest UDP answer, whatever the client offers: no fragments, and little to gain for an amplifier. */
const udpLimit = 1232;
const tcpLimit = 65_535;
const plainUdpLimit = 512;

export function createAnswerer(options: AnswererOptions): Answerer {
  const { zone, resolver, forwarder, counters, clock, log, random } = options;
  const budget = createErrorBudget(clock);

  function limitOf({ edns }: Query, { transport }: Source): number {
    if (transport === "tcp") return tcpLimit;
    return edns === undefined ? plainUdpLimit : Math.min(udpLimit, Math.max(plainUdpLimit, edns.size));
  }

  function write(out: Uint8Array, packet: Uint8Array, query: Query, source: Source, reply: Reply): number {
    const { body } = reply;
    count(counters.responses, rcodeName(reply.rcode));
    const shuffled = body.run === undefined ? body : shuffle(body, body.run, random);
    return writeResponse(out, packet, query, { ...reply, recursion: true }, shuffled, limitOf(query, source));
  }

  function malformed(out: Uint8Array, packet: Malformed, source: Source): number {
    if (source.transport === "udp" && !budget.spend(source.address)) {
      count(counters.dropped, "malformed");
      return silence;
    }
    count(counters.responses, rcodeName(packet.rcode));
    return writeMalformed(out, packet);
  }

  /** What can be said without asking anyone; otherwise what to do to find out. */
  function decide(query: Query): Reply | (() => Promise<Reply>) {
    const { name, type, edns } = query;
    if (edns !== undefined && edns.version !== 0) return plain(rcodes.BADVERS);
    if (query.class !== classIn || type === types.AXFR || type === types.IXFR) return plain(rcodes.REFUSED);
    const verdict = zone.ask(name, type);
    switch (verdict.says) {
      case "answer":
        return { rcode: rcodes.NOERROR, body: verdict.body, authoritative: true };
      case "no-data":
        return { rcode: rcodes.NOERROR, body: verdict.soa.negative(name.length), authoritative: true };
      case "no-name":
        return { rcode: rcodes.NXDOMAIN, body: verdict.soa.negative(name.length), authoritative: true };
      case "unknown-yet":
        return plain(rcodes.SERVFAIL);
      case "follow":
        return () => follow(query);
      case "outside-reverse":
        if (forwarder.hasUpstreams()) return outside(query);
        return { rcode: rcodes.NXDOMAIN, body: verdict.soa.negative(name.length), authoritative: true };
      case "outside":
        return forwarder.hasUpstreams() ? outside(query) : plain(rcodes.REFUSED);
    }
  }

  function outside(query: Query): Reply | (() => Promise<Reply>) {
    const { name, type } = query;
    const asked = askedBy(query);
    const cached = resolver.cached(asked);
    if (cached !== undefined) return fromOutside(query, { got: "answer", ...cached });
    if (type === types.HINFO && forwarder.cameBack(name)) return plain(rcodes.REFUSED);
    return async () => fromOutside(query, await resolver.resolve(asked));
  }

  function fromOutside(query: Query, resolution: Resolution): Reply {
    if (resolution.got === "rejected") return plain(rcodes.REFUSED);
    if (resolution.got === "failure") {
      log.debug({ type: typeName(query.type), reason: resolution.reason }, "no upstream DNS server answered");
      return plain(rcodes.SERVFAIL);
    }
    const { rcode, body, truncated } = resolution;
    const wantsAd = query.edns?.do === true || (query.flags & flags.AD) !== 0;
    const known = rcode <= 15 ? rcode : rcodes.SERVFAIL;
    return { rcode: known, body, truncated, authoritative: false, authenticData: wantsAd && resolution.authenticData };
  }

  async function follow(query: Query): Promise<Reply> {
    const { name } = query;
    const { answers, truncated } = await followExternalName(
      zone,
      forwarder.hasUpstreams() ? resolver : undefined,
      askedBy(query),
    );
    if (answers.length > 0)
      return { rcode: rcodes.NOERROR, body: renderBody(name, { answers }), truncated, authoritative: true };
    const verdict = zone.ask(name, types.ANY);
    const body = verdict.says === "no-data" ? verdict.soa.negative(name.length) : emptyBody;
    return { rcode: rcodes.NOERROR, body, authoritative: true };
  }

  return (packet, source, out, later) => {
    const query = parseQuery(packet);
    if (query.kind === "silent") {
      count(counters.dropped, query.reason);
      return silence;
    }
    if (query.kind === "malformed") return malformed(out, query, source);
    const started = clock.monotonic();
    count(counters.requests, `${source.transport} ${source.family === 4 ? 1 : 2} ${knownType(query.type)}`);
    const decided = decide(query);
    if (typeof decided !== "function") {
      const length = write(out, packet, query, source, decided);
      observe(counters, (clock.monotonic() - started) / 1000);
      return length;
    }
    const kept = new Uint8Array(packet.subarray(0, query.questionEnd));
    void decided()
      .catch((error: unknown): Reply => {
        log.error({ error: String(error) }, "answering a DNS query failed");
        return plain(rcodes.SERVFAIL);
      })
      .then((reply) => {
        const room = new Uint8Array(reply.body.bytes.length + 300);
        const length = write(room, kept, query, source, reply);
        observe(counters, (clock.monotonic() - started) / 1000);
        later(room.subarray(0, length));
      });
    return 0;
  };
}

function plain(rcode: number): Reply {
  return { rcode, body: emptyBody, authoritative: false };
}

function askedBy({ name, type, edns, flags: asked }: Query): Asked {
  return {
    question: { name, type, class: classIn },
    do: edns?.do ?? false,
    cd: (asked & flags.CD) !== 0,
  };
}

function knownType(type: number): string {
  const name = typeName(type);
  return name.startsWith("TYPE") ? "other" : name;
}

/** The same records in an order of chance, so that no address is always the first (as CoreDNS's `loadbalance`). */
function shuffle(body: Body, { start, size, count: records }: NonNullable<Body["run"]>, random: () => number): Body {
  const bytes = body.bytes.slice();
  for (let last = records - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    if (other === last) continue;
    for (let offset = 0; offset < size; offset++) {
      const [here, there] = [start + last * size + offset, start + other * size + offset];
      const kept = bytes[here] as number;
      bytes[here] = bytes[there] as number;
      bytes[there] = kept;
    }
  }
  return { ...body, bytes };
}
