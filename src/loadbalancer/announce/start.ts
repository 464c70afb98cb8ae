import { isDeepStrictEqual } from "node:util";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { createWorkqueue } from "#base/workqueue.ts";
import { keyOf } from "#api/meta/object.ts";
import { serviceNameLabel } from "#api/discovery/endpointslice/kind.ts";
import type { Client } from "#client/contract.ts";
import { createEventRecorder } from "#client/event-recorder.ts";
import { startInformer } from "#client/informer.ts";
import { decide, leaseSeconds } from "./election.ts";
import { followLeases } from "./leases.ts";
import type { Link } from "./link.ts";
import { wantedAddresses, type WantedAddress } from "./wanted.ts";

export interface AnnouncingNode {
  readonly name: string;
  readonly link: Link;
}

export interface AnnouncerOptions {
  readonly client: Client;
  /** The nodes that this process speaks for. */
  readonly nodes: readonly AnnouncingNode[];
  readonly log: Log;
  readonly clock: Clock;
}

export interface RunningAnnouncer {
  /** The addresses that these nodes have now, with the node. */
  announced(): ReadonlyMap<string, string>;
  /** Gives all of them back, for other nodes to take at once. */
  stop(): Promise<void>;
}

/**
 * Announces outside addresses of Services to the neighbours of the nodes: of all nodes of the cluster one has an address,
 * by a Lease, and takes it on its interface. When it is silent for as long as the Lease says, the next one takes it.
 */
export function startAnnouncer({ client, nodes, log, clock }: AnnouncerOptions): RunningAnnouncer {
  const scope = { fieldSelector: "spec.type=LoadBalancer" };
  const services = startInformer(client, "Service", { scope, log, clock });
  let slices: ReturnType<typeof followSlices> | undefined;
  const known = startInformer(client, "Node", { log, clock });
  const events = createEventRecorder(client, "fairlead-load-balancer", { clock, log });
  const again = () => queue.add("all");
  const leases = followLeases({ client, clock, log, changed: again });
  const turns = nodes.map((node) => createTurn(node));
  let wanted: ReadonlyMap<string, WantedAddress> = new Map();
  /** Since when each address is wanted. */
  const since = new Map<string, number>();
  let isStale = true;
  let cancel = () => {};
  let stopped = false;

  const queue = createWorkqueue({
    clock,
    retryLimitMs: 1_000,
    failed: (_key, error, waitMs) => log.warn({ error: String(error), waitMs }, "announcing outside addresses failed"),
    async work() {
      await Promise.all([services.synced, known.synced, leases.synced]);
      if (stopped) return;
      // A cluster has many slices, and only Services with policy Local ask for theirs.
      if (services.list().some(({ spec }) => spec.externalTrafficPolicy === "Local")) slices ??= followSlices();
      await slices?.synced;
      if (stopped) return;
      look();
      const waits = await Promise.all(turns.map((turn) => turn.run()));
      await forget();
      cancel();
      const next = Math.min(...waits);
      if (Number.isFinite(next)) cancel = clock.after(Math.max(1, next), again);
    },
  });
  const changed = () => {
    isStale = true;
    again();
  };
  const unsubscribes = [
    services.onChange(changed),
    known.onChange(({ type, before, after }) => {
      if (type !== "changed" || !isDeepStrictEqual(before.metadata.labels, after.metadata.labels)) changed();
    }),
  ];

  function followSlices() {
    const followed = startInformer(client, "EndpointSlice", {
      log,
      clock,
      indexes: { service: ({ metadata }) => [`${metadata.namespace}/${metadata.labels?.[serviceNameLabel]}`] },
    });
    followed.onChange(({ before, after }) => {
      const { namespace, labels } = (after ?? before).metadata;
      const service = services.get(`${namespace}/${labels?.[serviceNameLabel]}`);
      if (service?.spec.externalTrafficPolicy === "Local") changed();
    });
    return followed;
  }

  function look(): void {
    if (!isStale) return;
    isStale = false;
    wanted = wantedAddresses({
      services: services.list(),
      nodes: known.list(),
      slicesOf: (service) => slices?.by("service", keyOf(service)) ?? [],
    });
    for (const address of wanted.keys()) if (!since.has(address)) since.set(address, clock.monotonic());
    for (const address of since.keys()) if (!wanted.has(address)) since.delete(address);
  }

  /** The kernel drops an address no later than its Lease ends; it looks once a second. */
  function secondsLeft(address: string): number {
    const { changedAt } = leases.seen(address);
    return Math.max(1, Math.floor((changedAt - clock.monotonic()) / 1000) + leaseSeconds);
  }

  /** One node's part. */
  function createTurn({ name, link }: AnnouncingNode) {
    const held = new Set<string>();
    let isUp = true;

    async function decideAll(): Promise<{ taken: string[]; lost: string[]; waitMs: number }> {
      const taken: string[] = [];
      let waitMs = Infinity;
      let hasLooked = false;
      for (const { address, candidates, services: sharing } of wanted.values()) {
        const seen = leases.seen(address);
        const changedAt = Math.max(seen.changedAt, since.get(address) ?? 0);
        const lease = seen.holder === "" ? { ...seen, changedAt } : seen;
        const able = isUp ? candidates : candidates.filter((candidate) => candidate !== name);
        const decision = decide({ me: name, candidates: able, lease, now: clock.monotonic() });
        if (decision.act === "wait") waitMs = Math.min(waitMs, decision.ms ?? Infinity);
        else if (decision.act === "give-back") await leases.giveBack(address, name);
        else {
          if (decision.act === "take" && !hasLooked) isUp = await link.isUp();
          hasLooked = true;
          if (!isUp) continue;
          if (!(await leases.write(address, name)) || decision.act === "renew") continue;
          taken.push(address);
          for (const service of sharing) {
            events.normal(service, "nodeAssigned", `announcing ${address} from node ${name} with protocol "layer2"`);
          }
        }
      }
      const lost = [...held].filter((address) => !wanted.has(address) || leases.seen(address).holder !== name);
      return { taken, lost, waitMs };
    }

    return {
      held,
      /** Answers in how many ms it wants another turn. */
      async run(): Promise<number> {
        const { taken, lost, waitMs } = await decideAll();
        for (const address of lost) held.delete(address);
        await link.release(lost);
        const mine = [...wanted.keys()].filter((address) => leases.seen(address).holder === name);
        if (mine.length === 0) {
          // A link that came back is noticed when there is something to take.
          if (!isUp) isUp = await link.isUp();
          return isUp ? waitMs : Math.min(waitMs, retryMs);
        }
        // Also after a renewal: what another program took from the interface is put back, and its time begins anew.
        const fresh = mine.filter((address) => !held.has(address));
        isUp = await link.hold(new Map(mine.map((address) => [address, secondsLeft(address)])));
        for (const address of mine) held.add(address);
        if (!isUp) return 1;
        void link.tell([...new Set([...fresh, ...taken])]);
        return Math.min(waitMs, retryMs);
      },
      async stop(): Promise<void> {
        await link.release([...held]);
        for (const address of held) await leases.giveBack(address, name);
        held.clear();
      },
    };
  }

  /** Leases of addresses that no Service has. */
  async function forget(): Promise<void> {
    for (const address of leases.addresses()) {
      const { holder, changedAt, seconds } = leases.seen(address);
      const isDead = holder === "" || clock.monotonic() >= changedAt + seconds * 1000;
      const isOurs = nodes.some(({ name }) => name === holder);
      if (!wanted.has(address) && (isOurs || isDead)) await leases.remove(address);
    }
  }

  return {
    announced: () => new Map(turns.flatMap(({ held }, index) => [...held].map((at) => [at, nodes[index]?.name ?? ""]))),
    async stop() {
      stopped = true;
      cancel();
      for (const unsubscribe of unsubscribes) unsubscribe();
      await queue.stop();
      for (const turn of turns) {
        await turn
          .stop()
          .catch((error: unknown) => log.warn({ error: String(error) }, "an address was not given back"));
      }
      for (const part of [services, slices, known, leases]) part?.stop();
      await events.flush();
    },
  };
}

/** How often a node looks after what it has. */
const retryMs = 2_000;
