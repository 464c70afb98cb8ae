import { formatCidr, parseCidr } from "#base/cidr.ts";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { Client } from "#client/contract.ts";
import { createEventRecorder } from "#client/event-recorder.ts";
import { createLink, type Link } from "#loadbalancer/announce/link.ts";
import { startAnnouncer } from "#loadbalancer/announce/start.ts";
import { configMapKey } from "#loadbalancer/config.ts";
import { followPools } from "#loadbalancer/follow.ts";
import { cidrsOf, poolsOfFlags } from "#loadbalancer/pool.ts";
import type { TopologyNode } from "#node/network/plan.ts";
import { inNamespace, runCommand } from "#proxy/command.ts";

export interface RunningOutside {
  stop(): Promise<void>;
}

export interface OutsideOptions {
  readonly client: Client;
  readonly nodes: readonly TopologyNode[];
  /** `--load-balancer-cidr`. */
  readonly flags: readonly string[];
  /** Makes ways to these ranges; rejects with the reason when it cannot. */
  readonly changeRanges: (ranges: readonly string[]) => Promise<void>;
  readonly log: Log;
  readonly clock: Clock;
}

/** The nodes' part of outside addresses: they are announced, and the ways to them follow the pools. */
export function startOutside({ client, nodes, flags, changeRanges, log, clock }: OutsideOptions): RunningOutside {
  const events = createEventRecorder(client, "fairlead-load-balancer", { clock, log });
  const flagPools = poolsOfFlags(flags.flatMap((text) => parseCidr(text) ?? []));
  let inUse = flags.join();
  let tail: Promise<void> = Promise.resolve();
  const changed = () => {
    tail = tail.then(reach);
  };
  const followed = followPools({ client, flags: flagPools, changed, log, clock });
  const announcer = startAnnouncer({
    client,
    nodes: nodes.map(({ name, netns }) => ({ name, link: linkOf("eth0", log, netns) })),
    log,
    clock,
  });

  async function reach(): Promise<void> {
    const named = followed.pools().filter((pool) => !flagPools.includes(pool));
    const ranges = [...flags, ...named.flatMap((pool) => pool.ranges.flatMap(cidrsOf).map((cidr) => formatCidr(cidr)))];
    if (ranges.join() === inUse) return;
    try {
      await changeRanges(ranges);
      inUse = ranges.join();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      log.warn({ error: why }, "there is no way to the addresses of a pool");
      const about = { apiVersion: "v1", kind: "ConfigMap", metadata: configMapKey };
      events.warning(about, "AddressPoolNotReached", `this machine has no way to the addresses: ${why}`);
    }
  }

  return {
    async stop() {
      followed.stop();
      await tail;
      await announcer.stop();
      await events.flush();
    },
  };
}

/** The interface of a node, in its namespace or in the one this process is in. */
export function linkOf(device: string, log: Log, netns?: string): Link {
  return createLink({ run: (argv, input) => runCommand(inNamespace(netns, argv), input), device, log });
}
