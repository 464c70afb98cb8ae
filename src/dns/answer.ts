import { emptyBody, renderBody, type Body } from "#wire/dns/body.ts";
import { classIn, flags, rcodeName, rcodes, typeName, types } from "#wire/dns/numbers.ts";
import type { WireName } from "#wire/dns/name.ts";
import { parseQuery, type Malformed, type Query } from "#wire/dns/query.ts";
import { writeMalformed, writeResponse } from "#wire/dns/response.ts";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { createErrorBudget } from "./error-budget.ts";
import type { ClientRate } from "./client-rate.ts";
import { followExternalName } from "./follow.ts";
import type { Hosts } from "./hosts.ts";
import type { QueryLog } from "./query-log.ts";
import { askInstead, bodyForAsked } from "./rewrite/answer.ts";
import type { Rewriter } from "./rewrite/rules.ts";
import type { Resolution, Resolver } from "./forward/resolve.ts";
import type { Asked } from "./forward/sockets.ts";
import { count, durationBuckets, observe, sizeBuckets, type DnsCounters } from "./metrics.ts";
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
 * client sends. The packet is read until then: nobody may write to it again.
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
  /** Whether the name is one of those sent out to find circles. */
  readonly cameBack: (name: WireName) => boolean;
  /** What a configuration can change; read for each question. */
  readonly rules: () => AnswerRules;
  readonly rate: ClientRate;
  readonly queryLog: QueryLog;
  readonly counters: DnsCounters;
  readonly clock: Clock;
  readonly log: Log;
  /** Between 0 and 1: the order of addresses. */
  readonly random: () => number;
}

export interface AnswerRules {
  readonly hosts: Hosts;
  readonly rewrite: Rewriter | undefined;
  /** The largest UDP answer, whatever the client offers: no fragments, and little to gain for an amplifier. */
  readonly udpLimit: number;
}

interface Reply {
  readonly rcode: number;
  readonly body: Body;
  readonly authoritative: boolean;
  readonly truncated?: boolean;
  readonly authenticData?: boolean;
}

/**
 * Finds the reply out and hands it over once, perhaps at once. Callbacks, as a chain of promises costs more than the
 * question does.
 */
type Seek = (done: (reply: Reply) => void) => void;

const tcpLimit = 65_535;
const plainUdpLimit = 512;

export function createAnswerer(options: AnswererOptions): Answerer {
  const { zone, resolver, cameBack, rules, rate, queryLog, counters, clock, log, random } = options;
  const budget = createErrorBudget(clock);

  function limitOf({ edns }: Query, { transport }: Source): number {
    if (transport === "tcp") return tcpLimit;
    return edns === undefined ? plainUdpLimit : Math.min(rules().udpLimit, Math.max(plainUdpLimit, edns.size));
  }

  function write(out: Uint8Array, packet: Uint8Array, query: Query, source: Source, reply: Reply): number {
    const { body } = reply;
    count(counters.responses, rcodeName(reply.rcode));
    const shuffled = body.run === undefined ? body : shuffle(body, body.run, random);
    return writeResponse(out, packet, query, reply, shuffled, limitOf(query, source));
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
  function decide(query: Query, packet: Uint8Array): Reply | Seek {
    const { name, type, edns } = query;
    if (edns !== undefined && edns.version !== 0) return plain(rcodes.BADVERS);
    if (query.class !== classIn || type === types.AXFR || type === types.IXFR) return plain(rcodes.REFUSED);
    const rewritten = rules().rewrite?.(name);
    if (rewritten === undefined) return look(query);
    return rewritten === "failed" ? plain(rcodes.SERVFAIL) : lookInstead(query, packet, rewritten);
  }

  /** Answers for another name, whole, and hands the records back under the asked one. */
  function lookInstead(
    query: Query,
    packet: Uint8Array,
    { name, answerAsked }: { name: WireName; answerAsked: boolean },
  ): Reply | Seek {
    const instead = askInstead(packet, query, name);
    const back = (reply: Reply): Reply => {
      const room = new Uint8Array(reply.body.bytes.length + 600);
      const length = writeResponse(room, instead.packet, instead.query, reply, reply.body, tcpLimit);
      const names = { asked: query.name, rewritten: name, answerAsked };
      const body = bodyForAsked(room.subarray(0, length), names);
      return body === undefined ? plain(rcodes.SERVFAIL) : { ...reply, body };
    };
    const backOrBroken = (reply: Reply): Reply => {
      try {
        return back(reply);
      } catch (error) {
        return broken(error);
      }
    };
    const found = look(instead.query);
    return typeof found === "function" ? (done) => found((reply) => done(backOrBroken(reply))) : back(found);
  }

  function broken(error: unknown): Reply {
    counters.panics += 1;
    log.error({ error: String(error) }, "answering a DNS query failed");
    return plain(rcodes.SERVFAIL);
  }

  function look(query: Query): Reply | Seek {
    const { name, type } = query;
    const host = rules().hosts.ask(name, type);
    if (host !== undefined) return { rcode: rcodes.NOERROR, body: host, authoritative: true };
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
        return (done) => void followThen(query, done);
      case "outside-reverse":
        if (resolver.canAsk(name)) return outside(query);
        return { rcode: rcodes.NXDOMAIN, body: verdict.soa.negative(name.length), authoritative: true };
      case "outside":
        return resolver.canAsk(name) ? outside(query) : plain(rcodes.REFUSED);
    }
  }

  function outside(query: Query): Reply | Seek {
    const { name, type } = query;
    const asked = askedBy(query);
    const cached = resolver.cached(asked);
    if (cached !== undefined) return fromOutside(query, { got: "answer", ...cached });
    if (type === types.HINFO && cameBack(name)) return plain(rcodes.REFUSED);
    return (done) => resolver.resolve(asked, (resolution) => done(fromOutside(query, resolution)));
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

  async function followThen(query: Query, done: (reply: Reply) => void): Promise<void> {
    done(await follow(query).catch(broken));
  }

  async function follow(query: Query): Promise<Reply> {
    const { name } = query;
    const { answers, truncated } = await followExternalName(zone, resolver, askedBy(query), rules().hosts);
    if (answers.length > 0)
      return { rcode: rcodes.NOERROR, body: renderBody(name, { answers }), truncated, authoritative: true };
    const verdict = zone.ask(name, types.ANY);
    const body = verdict.says === "no-data" ? verdict.soa.negative(name.length) : emptyBody;
    return { rcode: rcodes.NOERROR, body, authoritative: true };
  }

  function finish(query: Query, source: Source, started: number, rcode: number, length: number): void {
    const took = clock.monotonic() - started;
    observe(counters.durations, durationBuckets, took / 1000);
    observe(counters.responseSizes[source.transport], sizeBuckets, length);
    if (!queryLog.isOn()) return;
    const { name, type } = query;
    queryLog.write({ client: source.address, transport: source.transport, name, type, rcode, took });
  }

  return (packet, source, out, later) => {
    const query = parseQuery(packet);
    if (query.kind === "silent") {
      count(counters.dropped, query.reason);
      return silence;
    }
    if (query.kind === "malformed") return malformed(out, query, source);
    if (!rate.spend(source.address)) {
      count(counters.dropped, "rate");
      return silence;
    }
    const started = clock.monotonic();
    count(counters.requests, requestKey(source, query.type));
    observe(counters.requestSizes[source.transport], sizeBuckets, packet.length);
    if (query.edns?.do === true) counters.doRequests += 1;
    const decided = decide(query, packet);
    if (typeof decided !== "function") {
      const length = write(out, packet, query, source, decided);
      finish(query, source, started, decided.rcode, length);
      return length;
    }
    let early: Reply | undefined;
    let asking = true;
    decided((reply) => {
      if (asking) {
        early = reply;
        return;
      }
      const room = Buffer.allocUnsafe(reply.body.bytes.length + 300);
      const length = write(room, packet, query, source, reply);
      finish(query, source, started, reply.rcode, length);
      later(room.subarray(0, length));
    });
    asking = false;
    if (early === undefined) return 0;
    const length = write(out, packet, query, source, early);
    finish(query, source, started, early.rcode, length);
    return length;
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

/** Built once for each kind: a text that is put together for every question is looked up anew as a key each time. */
const requestKeys: string[] = [];
const lastType = Math.max(...Object.values(types));

function requestKey({ transport, family }: Source, type: number): string {
  const at = Math.min(type, lastType + 1) * 4 + (transport === "udp" ? 0 : 2) + (family === 4 ? 0 : 1);
  return (requestKeys[at] ??= `${transport} ${family === 4 ? 1 : 2} ${knownType(type)}`);
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
