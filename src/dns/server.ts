import { networkInterfaces } from "node:os";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { NameDiff } from "#routing/names/table.ts";
import { createAnswerer, type Answerer } from "./answer.ts";
import type { ListenAddress, PodNames, Upstream } from "./contract.ts";
import { createCache } from "./forward/cache.ts";
import { createForwarder } from "./forward/forward.ts";
import { createResolver } from "./forward/resolve.ts";
import { chooseUpstreams } from "./forward/upstreams.ts";
import { createCounters, type DnsCounters } from "./metrics.ts";
import { listenTcp } from "./tcp.ts";
import { listenUdp, type Listener } from "./udp.ts";
import { createZone } from "./zone.ts";

/** What a server is made of, besides the names; passes between threads as it is. */
export interface ServerSettings {
  readonly zone: string;
  readonly upstreams: readonly Upstream[];
  readonly serviceAddresses: readonly string[];
  readonly selfService?: { readonly namespace: string; readonly name: string };
  readonly pods?: PodNames;
  /** Milliseconds; the forwarder's own when left out. */
  readonly attemptTimeout?: number;
  readonly totalTimeout?: number;
}

/** Answers questions about names that it is told. It knows no API and no objects. */
export interface DnsServer {
  apply(diff: NameDiff): void;
  listen(at: ListenAddress): Promise<ListenAddress>;
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

export function createDnsServer(settings: ServerSettings, tools: ServerTools): DnsServer {
  const { log, clock, random = Math.random, localAddresses = machineAddresses } = tools;
  const counters = createCounters();
  const zone = createZone(settings);
  const listeners = new Map<string, { at: ListenAddress; udp: Listener; tcp: Listener }>();
  const told = new Set<string>();
  let wanted = settings.upstreams;
  const { attemptTimeout, totalTimeout } = settings;
  const forwarder = createForwarder({ upstreams: [], attemptTimeout, totalTimeout, clock, log, counters, random });
  const resolver = createResolver(forwarder, createCache({ clock, counters }));
  const answer = createAnswerer({ zone, resolver, forwarder, counters, clock, log, random });
  chooseAgain();

  /** Upstreams depend on where this server listens: it must not ask itself. */
  function chooseAgain(): void {
    const listen = [...listeners.values()].map(({ at }) => at);
    const own = { listen, service: settings.serviceAddresses, local: localAddresses() };
    const { upstreams, refused } = chooseUpstreams(wanted, own);
    for (const { upstream, reason } of refused) {
      if (told.has(upstream.address)) continue;
      told.add(upstream.address);
      log.warn({ upstream: upstream.address, reason }, "DNS server for outside names left out");
    }
    forwarder.setUpstreams(upstreams);
    const outward = listen.map(({ address }) => address).filter((address) => !isUnspecific(address));
    zone.setOwnAddresses([...new Set([...settings.serviceAddresses, ...outward])]);
  }

  async function open({ address, port }: ListenAddress): Promise<{ udp: Listener; tcp: Listener }> {
    for (let attempt = 1; ; attempt++) {
      const udp = await listenUdp({ address, port }, { answer, log, counters });
      try {
        return { udp, tcp: await listenTcp({ address, port: udp.port }, { answer, log, clock, counters }) };
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
    setUpstreams(upstreams) {
      wanted = upstreams;
      chooseAgain();
      forwarder.checkLoops();
    },
    async listen(asked) {
      const known = listeners.get(`${asked.address} ${asked.port}`);
      if (known !== undefined) return known.at;
      const opened = await open(asked);
      const at = { address: asked.address, port: opened.udp.port };
      listeners.set(`${at.address} ${at.port}`, { at, ...opened });
      chooseAgain();
      forwarder.checkLoops();
      return at;
    },
    counters: () => structuredClone(counters),
    async stop() {
      forwarder.stop();
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
