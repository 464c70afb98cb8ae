import { networkInterfaces } from "node:os";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { NameDiff } from "#routing/names/table.ts";
import { createAnswerer, type Answerer, type AnswerRules } from "./answer.ts";
import type { ListenAddress, PodNames, Upstream } from "./contract.ts";
import { createCache } from "./forward/cache.ts";
import { clientRateMemory, createClientRate } from "./client-rate.ts";
import type { PackedDiff } from "./entry.ts";
import { createForwarding, type Forwarding } from "./forward/rules.ts";
import { createHosts } from "./hosts.ts";
import { createQueryLog } from "./query-log.ts";
import { createRewriter } from "./rewrite/rules.ts";
import type { DnsSettings, ForwardRule } from "./settings.ts";
import { createResolver } from "./forward/resolve.ts";
import { chooseUpstreams } from "./forward/upstreams.ts";
import { createCounters, type DnsCounters } from "./metrics.ts";
import { listenTcp, tcpLimits } from "./tcp.ts";
import { listenUdp, type Listener } from "./udp.ts";
import { createZone, type ZoneRules } from "./zone.ts";

/** What a server is made of, besides the names; passes between threads as it is. */
export interface ServerSettings {
  readonly zone: string;
  readonly upstreams: readonly Upstream[];
  readonly serviceAddresses: readonly string[];
  readonly selfService?: { readonly namespace: string; readonly name: string };
  readonly pods?: PodNames;
  readonly settings?: DnsSettings;
  /** Counts questions of each client; shared by workers. */
  readonly rateMemory?: SharedArrayBuffer;
  /** Several share each address. */
  readonly sharesPort?: boolean;
  /** Milliseconds; the forwarder's own when left out. */
  readonly attemptTimeout?: number;
  readonly totalTimeout?: number;
}

/** Answers questions about names that it is told. It knows no API and no objects. */
export interface DnsServer {
  apply(diff: NameDiff | PackedDiff): void;
  /** `exclusive` fails when anyone answers there already, also one that would share. */
  listen(at: ListenAddress, options?: { readonly exclusive?: boolean }): Promise<ListenAddress>;
  /** Answers by other settings from the next question on. */
  configure(settings: DnsSettings): void;
  setUpstreams(upstreams: readonly Upstream[]): void;
  counters(): DnsCounters;
  readonly answer: Answerer;
  stop(): Promise<void>;
}

export interface ServerTools {
  readonly log: Log;
  readonly clock: Clock;
  /** Between 0 and 1: the order of addresses and of upstreams. */
  readonly random?: () => number;
  /** All addresses of this machine now. */
  readonly localAddresses?: () => readonly string[];
}

const bindAttempts = 10;
const smallestUdp = 512;
const usualUdp = 1232;
const largestUdp = 4096;

export function createDnsServer(settings: ServerSettings, tools: ServerTools): DnsServer {
  const { log, clock, random = Math.random, localAddresses = machineAddresses } = tools;
  const counters = createCounters();
  const { sharesPort = false, attemptTimeout, totalTimeout } = settings;
  let current = settings.settings ?? {};
  let upstreams = settings.upstreams;
  let answerRules = rulesOf(current);
  const zone = createZone({ ...settings, ...zoneRules() });
  const listeners = new Map<string, { at: ListenAddress; udp: Listener; tcp: Listener }>();
  const told = new Set<string>();
  const forwarding = createForwarding({ clock, log, counters, random }, { attemptTimeout, totalTimeout });
  const cache = createCache({ clock, counters, ...current.cache });
  const forwarderFor: Forwarding["forwarderFor"] = (name) => forwarding.forwarderFor(name);
  const answer = createAnswerer({
    zone,
    resolver: createResolver({ forwarderFor, cache, clock, counters }),
    cameBack: (name) => forwarding.cameBack(name),
    rules: () => answerRules,
    rate: createClientRate(
      settings.rateMemory ?? clientRateMemory(),
      () => current.limits?.perClientRate ?? 0,
      () => clock.monotonic(),
    ),
    queryLog: createQueryLog(
      log,
      () => current.queryLog,
      () => clock.monotonic(),
    ),
    counters,
    clock,
    log,
    random,
  });
  chooseAgain();

  function zoneRules(): ZoneRules {
    const { zones, ttlSeconds, negativeTtlSeconds, pods = settings.pods } = current;
    return { zones, ttlSeconds, negativeTtlSeconds, pods };
  }

  function rulesOf({ hosts, rewrite, limits }: DnsSettings): AnswerRules {
    return {
      hosts: createHosts(hosts),
      rewrite: createRewriter(rewrite, () => clock.monotonic()),
      udpLimit: Math.min(largestUdp, Math.max(smallestUdp, limits?.udpPayload ?? usualUdp)),
    };
  }

  /** What the configuration says, and the machine's own upstreams for the rest of the names. */
  function forwardRules(): ForwardRule[] {
    const { forward = [] } = current;
    return forward.some((rule) => rule.zone === ".") ? [...forward] : [...forward, { zone: ".", upstreams }];
  }

  /** Upstreams depend on where this server listens: it must not ask itself. */
  function chooseAgain(): void {
    const listen = [...listeners.values()].map(({ at }) => at);
    const own = { listen, service: settings.serviceAddresses, local: localAddresses() };
    forwarding.setRules(forwardRules(), (wanted) => {
      const chosen = chooseUpstreams(wanted, own);
      for (const { upstream, reason } of chosen.refused) {
        if (told.has(upstream.address)) continue;
        told.add(upstream.address);
        log.warn({ upstream: upstream.address, reason }, "DNS server for outside names left out");
      }
      return chosen.upstreams;
    });
    const outward = listen.map(({ address }) => address).filter((address) => !isUnspecific(address));
    zone.setOwnAddresses([...new Set([...settings.serviceAddresses, ...outward])]);
  }

  async function open({ address, port }: ListenAddress, share: boolean): Promise<{ udp: Listener; tcp: Listener }> {
    const limits = () => ({
      connections: current.limits?.tcpConnections ?? tcpLimits.connections,
      idle: current.limits?.tcpIdleMs ?? tcpLimits.idle,
    });
    for (let attempt = 1; ; attempt++) {
      const udp = await listenUdp({ address, port, share }, { answer, log, counters });
      try {
        const at = { address, port: udp.port, share };
        return { udp, tcp: await listenTcp(at, { answer, log, clock, counters, chosen: limits }) };
      } catch (error) {
        await udp.stop();
        // A free port of UDP may be taken in TCP; then another one is.
        if (port !== 0 || attempt === bindAttempts) throw error;
      }
    }
  }

  return {
    answer,
    apply: (diff) => zone.apply(diff),
    setUpstreams(next) {
      upstreams = next;
      chooseAgain();
      forwarding.checkLoops();
    },
    configure(next) {
      const forwardsElse = JSON.stringify(next.forward) !== JSON.stringify(current.forward);
      answerRules = rulesOf(next);
      current = next;
      zone.configure(zoneRules());
      cache.configure(next.cache ?? {});
      if (!forwardsElse) return;
      // Another server may know other things of the same names.
      cache.clear();
      chooseAgain();
      forwarding.checkLoops();
    },
    async listen(asked, { exclusive = false } = {}) {
      const known = listeners.get(`${asked.address} ${asked.port}`);
      if (known !== undefined) return known.at;
      let { port } = asked;
      if (sharesPort && exclusive) {
        const alone = await open(asked, false);
        port = alone.udp.port;
        await Promise.all([alone.udp.stop(), alone.tcp.stop()]);
      }
      const opened = await open({ ...asked, port }, sharesPort);
      const at = { address: asked.address, port: opened.udp.port };
      listeners.set(`${at.address} ${at.port}`, { at, ...opened });
      chooseAgain();
      forwarding.checkLoops();
      return at;
    },
    counters: () => structuredClone(counters),
    async stop() {
      forwarding.stop();
      await Promise.all([...listeners.values()].flatMap(({ udp, tcp }) => [udp.stop(), tcp.stop()]));
      listeners.clear();
    },
  };
}

function machineAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
}

function isUnspecific(address: string): boolean {
  return address === "0.0.0.0" || address === "::" || address === "::1" || address.startsWith("127.");
}
