import { randomBytes } from "node:crypto";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { classIn, flags, rcodeName, types } from "#wire/dns/numbers.ts";
import type { Message } from "#wire/dns/message.ts";
import type { WireName } from "#wire/dns/name.ts";
import type { Upstream } from "../contract.ts";
import { count, createHistogram, durationBuckets, observe, type DnsCounters } from "../metrics.ts";
import { createUdpSockets, type Asked, type Exchange, type UdpSockets } from "./sockets.ts";
import { exchangeByTcp } from "./tcp-exchange.ts";

export type Forwarded =
  | { readonly got: "answer"; readonly message: Message }
  /** No upstream answered in time. */
  | { readonly got: "failure"; readonly reason: string }
  /** Too many questions are waiting already. */
  | { readonly got: "rejected" };

export interface Forwarder {
  /** Calls `done` once, perhaps at once. */
  ask(asked: Asked, done: (forwarded: Forwarded) => void): void;
  /** Replaces the upstreams; questions that wait for one that went fail over to the next. */
  setUpstreams(upstreams: readonly Upstream[]): void;
  hasUpstreams(): boolean;
  /** Sends each upstream a question for a name that nobody else knows; `cameBack` is asked whether it returned. */
  checkLoops(): void;
  /** Whether a received question is such a one: then its upstream leads back here, and is left out from now on. */
  cameBack(name: WireName): boolean;
  /** Takes no more questions, and ends when those that wait have their answers. */
  retire(): void;
  stop(): void;
}

export interface ForwarderOptions {
  readonly upstreams: readonly Upstream[];
  readonly policy?: "random" | "round_robin" | "sequential";
  /** Milliseconds for one attempt and for all attempts together. */
  readonly attemptTimeout?: number;
  readonly totalTimeout?: number;
  /** Questions that may wait at the same time; one more is rejected. */
  readonly maxConcurrent?: number;
  /** Failures in a row after which an upstream is asked only when no other is left; 0 for never. */
  readonly maxFails?: number;
  /** Milliseconds between two looks whether a failed upstream answers again. */
  readonly healthCheck?: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: DnsCounters;
  /** Between 0 and 1. */
  readonly random: () => number;
}

interface Peer {
  readonly name: string;
  readonly at: { readonly address: string; readonly port: number };
  /** Asked for to see whether questions come back. */
  readonly loopName: WireName;
  readonly sockets: UdpSockets;
  failures: number;
  /** Questions that wait for it now. */
  asked: number;
  gone: boolean;
  stopProbe?: (() => void) | undefined;
}

/** A question on its way through the upstreams. */
interface Turn {
  readonly asked: Asked;
  readonly deadline: number;
  /** Who is asked next, and after that. */
  readonly queue: Peer[];
  /** Why the last one gave no answer. */
  reason: string;
  readonly done: (forwarded: Forwarded) => void;
}

/**
 * Asks upstreams for names outside the cluster. glibc gives up after 5 s, so all attempts together stay below that: by
 * default 1.5 s each, 4 s in all, at most two for each upstream. An upstream that fails is probed until it answers.
 */
export function createForwarder(options: ForwarderOptions): Forwarder {
  const { policy = "random", attemptTimeout = 1_500, totalTimeout = 4_000, maxConcurrent = 1_000 } = options;
  const { maxFails = 2, healthCheck = 500, clock, log, counters, random } = options;
  const downAfter = maxFails === 0 ? Infinity : maxFails;
  let peers: Peer[] = [];
  /** Those that questions wait for, also when they were replaced. */
  const asking = new Set<Peer>();
  let waiting = 0;
  let stopped = false;
  let turn = 0;
  setUpstreams(options.upstreams);

  function setUpstreams(upstreams: readonly Upstream[]): void {
    const before = new Map(peers.map((peer) => [peer.name, peer]));
    peers = upstreams.map(({ address, port = 53 }) => {
      const name = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
      const kept = before.get(name);
      before.delete(name);
      if (kept !== undefined) return kept;
      const at = { address, port };
      return {
        name,
        at,
        loopName: randomName(),
        sockets: createUdpSockets(at, clock),
        failures: 0,
        asked: 0,
        gone: false,
      };
    });
    for (const gone of before.values()) drop(gone);
  }

  /** What it was asked already it may still answer. */
  function drop(peer: Peer): void {
    peer.gone = true;
    peer.stopProbe?.();
    if (peer.asked === 0 || stopped) peer.sockets.stop();
  }

  /** Who to ask first, second, ...: by policy, those that are down last. */
  function order(): readonly Peer[] {
    if (peers.length === 1) return peers;
    const start = policy === "round_robin" ? turn++ % peers.length : 0;
    const turned = [...peers.slice(start), ...peers.slice(0, start)];
    if (policy === "random") {
      for (let last = turned.length - 1; last > 0; last--) {
        const other = Math.floor(random() * (last + 1));
        [turned[last], turned[other]] = [turned[other] as Peer, turned[last] as Peer];
      }
    }
    const up = turned.filter(({ failures }) => failures < downAfter);
    return [...up, ...turned.filter(({ failures }) => failures >= downAfter)];
  }

  function attempt(peer: Peer, asked: Asked, timeout: number, done: (exchange: Exchange) => void): void {
    count(counters.forwards, peer.name);
    peer.asked += 1;
    asking.add(peer);
    const started = clock.monotonic();
    const ended = (exchange: Exchange): void => {
      if (exchange.got === "answer") {
        const key = `${peer.name} ${rcodeName(exchange.message.rcode)}`;
        const durations = (counters.forwardDurations[key] ??= createHistogram(durationBuckets));
        observe(durations, durationBuckets, (clock.monotonic() - started) / 1000);
      }
      peer.asked -= 1;
      if (peer.asked === 0) {
        asking.delete(peer);
        if (peer.gone) peer.sockets.stop();
      }
      done(exchange);
    };
    peer.sockets.exchange(asked, timeout, (exchange) => {
      if (exchange.got !== "answer" || !(exchange.message.flags & flags.TC)) return ended(exchange);
      void exchangeByTcp(peer.at, asked, timeout, clock).then((whole) =>
        // Without TCP the cut answer is better than none; its TC bit tells the client.
        ended(whole.got === "answer" ? whole : exchange),
      );
    });
  }

  function settle(peer: Peer, exchange: Exchange): void {
    if (exchange.got === "answer") {
      if (peer.failures >= downAfter) log.info({ upstream: peer.name }, "upstream DNS server answers again");
      peer.failures = 0;
      peer.stopProbe?.();
      peer.stopProbe = undefined;
      return;
    }
    count(counters.forwardFailures, peer.name);
    peer.failures += 1;
    if (peer.failures === downAfter) {
      const reason = exchange.got === "timeout" ? "no answer in time" : exchange.reason;
      log.warn({ upstream: peer.name, reason }, "upstream DNS server does not answer; others are asked first");
    }
    if (peers.includes(peer)) peer.stopProbe ??= clock.after(healthCheck, () => probe(peer));
  }

  function probe(peer: Peer): void {
    const question = { name: "", type: types.NS, class: classIn };
    peer.sockets.exchange({ question, do: false, cd: false }, healthCheck * 2, (exchange) => {
      peer.stopProbe = undefined;
      if (peers.includes(peer)) settle(peer, exchange);
    });
  }

  function askNext(turn: Turn): void {
    const { asked, deadline, queue } = turn;
    for (let peer = queue.shift(); peer !== undefined; peer = queue.shift()) {
      const left = deadline - clock.monotonic();
      if (left <= 0 || stopped) break;
      // All that were there may have been replaced meanwhile.
      if (peer.gone && queue.every(({ gone }) => gone)) queue.splice(0, queue.length, ...order());
      if (peer.gone) continue;
      const chosen = peer;
      return attempt(chosen, asked, Math.min(attemptTimeout, left), (exchange) => judge(turn, chosen, exchange));
    }
    end(turn, { got: "failure", reason: turn.reason });
  }

  function judge(turn: Turn, peer: Peer, exchange: Exchange): void {
    const { queue } = turn;
    if (exchange.got !== "answer" && peer.gone) {
      if (queue.every(({ gone }) => gone)) queue.splice(0, queue.length, ...order());
      return askNext(turn);
    }
    settle(peer, exchange);
    if (exchange.got === "answer") return end(turn, exchange);
    const { name } = peer;
    turn.reason = exchange.got === "timeout" ? `${name} did not answer in time` : `${name}: ${exchange.reason}`;
    askNext(turn);
  }

  function end({ done }: Turn, forwarded: Forwarded): void {
    waiting -= 1;
    done(forwarded);
  }

  return {
    ask(asked, done) {
      if (waiting >= maxConcurrent) {
        counters.forwardRejects += 1;
        return done({ got: "rejected" });
      }
      waiting += 1;
      const candidates = order();
      if (candidates.every(({ failures }) => failures >= downAfter)) counters.forwardBroken += 1;
      const queue = [...candidates, ...candidates];
      askNext({ asked, deadline: clock.monotonic() + totalTimeout, queue, reason: "no upstream", done });
    },
    setUpstreams,
    hasUpstreams: () => peers.length > 0,
    checkLoops() {
      for (const peer of peers) {
        const question = { name: peer.loopName, type: types.HINFO, class: classIn };
        peer.sockets.exchange({ question, do: false, cd: false }, attemptTimeout, () => undefined);
      }
    },
    cameBack(name) {
      const looped = peers.find((peer) => peer.loopName === name);
      if (looped === undefined) return false;
      log.error({ upstream: looped.name }, "this DNS server's questions come back from there; it is left out");
      peers = peers.filter((peer) => peer !== looped);
      drop(looped);
      return true;
    },
    retire() {
      setUpstreams([]);
    },
    stop() {
      stopped = true;
      for (const peer of asking) peer.sockets.stop();
      setUpstreams([]);
    },
  };
}

/** Two labels of chance, as CoreDNS's `loop` asks for. */
function randomName(): WireName {
  return `\x10${randomBytes(8).toString("hex")}\x10${randomBytes(8).toString("hex")}`;
}
