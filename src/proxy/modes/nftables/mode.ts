import { systemClock } from "#base/clock.ts";
import type { Problem, Source } from "#routing/because.ts";
import type { ServicePortEntry } from "#routing/l4/table.ts";
import { inNamespace, runCommand } from "../../command.ts";
import type { ModeDefinition } from "../../definition.ts";
import type { ProxyNode } from "../../mode.ts";
import { isBalancer, mapsOf, renderBalancer, withPrecursors, type Balancer } from "./balancer.ts";
import { openNftChannel } from "./channel.ts";
import { createFlowCleaner } from "./conntrack.ts";
import { renderEntry, type Rendering } from "./elements.ts";
import { layoutMark, renderAdoption, renderLayout } from "./layout.ts";
import { createElementLedger } from "./ledger.ts";
import { tableName } from "./names.ts";
import { renderChange } from "./transaction.ts";

/** An added table can be deleted, there or not. */
const removal = [`add table ip ${tableName}`, `delete table ip ${tableName}`];

/**
 * Services as elements of a few maps in the table `ip kube-proxy`. The first change takes over or replaces what stands
 * in that table, in one transaction: traffic meets either the old rules or the new ones. After a failure all is built
 * anew from nothing.
 */
export const nftables: ModeDefinition = {
  name: "nftables",
  async probe(node) {
    const commands = [...renderLayout(node), ...samples.flatMap((sample) => renderBalancer(sample))];
    const checked = await runCommand(inNamespace(node.netns, ["nft", "-c", "-f", "-"]), `${commands.join("\n")}\n`);
    if (checked.code === 0) return { works: true };
    return { works: false, reason: `nft cannot load the rules here: ${firstLine(checked.stderr)}` };
  },
  start(node, { log, clock = systemClock }) {
    const channel = openNftChannel({ clock, ...(node.netns === undefined ? {} : { netns: node.netns }) });
    const ledger = createElementLedger();
    const flows = createFlowCleaner(node, log);
    const balancers = new Map<string, Balancer>();
    /** By service port: its name in the ledger, where the older Service comes first. */
    const owners = new Map<string, string>();
    const unserved = new Map<string, Problem>();
    let inKernel = new Set<string>();
    let isInForce = false;
    let hasFailed = false;

    /** One entry that cannot be served leaves all others alone. */
    function tryRender(entry: ServicePortEntry): Rendering | undefined {
      unserved.delete(entry.id);
      try {
        return renderEntry(entry, node);
      } catch (error) {
        const message = `service port ${entry.id} is not served: ${String(error)}; correct the Service or its slices`;
        unserved.set(entry.id, { at: serviceOf(entry.id), code: "cannot-serve", message });
        log.warn({ service: entry.id, error: String(error) }, "a service port cannot be served");
        release(entry.id);
        return undefined;
      }
    }

    function release(id: string): void {
      ledger.claim(owners.get(id) ?? "", []);
      owners.delete(id);
    }

    function claim(entry: ServicePortEntry): void {
      const rendering = tryRender(entry);
      if (rendering === undefined) return;
      const owner = `${entry.created ?? ""} ${entry.id}`;
      if (owners.get(entry.id) !== owner) release(entry.id);
      owners.set(entry.id, owner);
      ledger.claim(owner, rendering.elements);
      for (const [name, balancer] of rendering.balancers) balancers.set(name, balancer);
    }

    /** What is in the kernel of an earlier start, to be kept; nothing after a failure. */
    async function findEarlier(): Promise<ReadonlySet<string> | undefined> {
      if (hasFailed) return undefined;
      const chains = await listChains(node);
      return chains.has(layoutMark) ? new Set([...chains].filter((name) => isBalancer(name))) : undefined;
    }

    async function renderNext(): Promise<{ commands: string[]; changes: number }> {
      let start: string[] = [];
      if (!isInForce) {
        const earlier = await findEarlier();
        start = earlier === undefined ? renderLayout(node) : renderAdoption(node, mapsOf(earlier));
        inKernel = new Set(earlier);
      }
      const missing = [...balancers].filter(([name]) => !inKernel.has(name));
      const chains = missing.flatMap(([, balancer]) => renderBalancer(balancer));
      const change = isInForce ? ledger.take() : { deletes: [], adds: ledger.takeAll() };
      const commands = [...start, ...chains, ...renderChange(change)];
      return { commands, changes: change.adds.length + change.deletes.length };
    }

    return {
      name: "nftables",
      async apply(diff) {
        const start = clock.monotonic();
        if (!isInForce) await allowLoopback(node);
        for (const { id } of diff.removed) {
          unserved.delete(id);
          release(id);
        }
        const present = [...diff.added, ...diff.changed.map(({ after }) => after)];
        for (const entry of present) claim(entry);
        try {
          const { commands, changes } = await renderNext();
          if (commands.length > 0) await channel.run(commands);
          isInForce = true;
          hasFailed = false;
          for (const name of balancers.keys()) inKernel.add(name);
          flows.request(present);
          return { revision: diff.revision, changes, ms: clock.monotonic() - start };
        } catch (error) {
          isInForce = false;
          hasFailed = true;
          throw error;
        }
      },
      problems: () => [
        ...unserved.values(),
        ...ledger.contested().flatMap(({ front, winner, losers }) =>
          losers.map((loser) => {
            const [id, other] = [loser, winner].map((owner) => owner.slice(owner.indexOf(" ") + 1));
            const message = `service port ${id}: ${front} is taken by the older ${other}; give one of them another address or port`;
            return { at: serviceOf(id ?? ""), code: "address-taken", message };
          }),
        ),
      ],
      async isIntact() {
        if (!isInForce) return true;
        try {
          // Adding a chain that is there changes nothing, and fails when the table has gone.
          await channel.run([`add chain ip ${tableName} ${layoutMark}`]);
          return true;
        } catch {
          isInForce = false;
          return false;
        }
      },
      async stop() {
        await flows.stop();
        await channel.close();
      },
      async cleanup() {
        isInForce = false;
        await removeTable(node);
      },
    };
  },
  cleanup: removeTable,
};

/** The Service of a service port's id. */
function serviceOf(id: string): Source {
  const [, namespace = "", name = ""] = /^([^/]*)\/([^:]*):/.exec(id) ?? [];
  return { kind: "Service", namespace, name };
}

/** One balancer of each shape. */
const samples: readonly Balancer[] = [0, 10_800].flatMap((affinitySeconds) =>
  withPrecursors({ by: "address", of: "all", count: 2, affinitySeconds, masquerade: affinitySeconds === 0 }),
);

async function removeTable(node: ProxyNode): Promise<void> {
  const removed = await runCommand(inNamespace(node.netns, ["nft", "-f", "-"]), `${removal.join("\n")}\n`);
  if (removed.code !== 0) {
    throw new Error(`the rules on ${node.name} could not be removed: ${firstLine(removed.stderr)}`);
  }
}

/** Lets a process of the node reach node ports at 127.0.0.1; where it is forbidden, every other address works. */
async function allowLoopback({ netns }: ProxyNode): Promise<void> {
  await runCommand(inNamespace(netns, ["sysctl", "-q", "-w", "net.ipv4.conf.all.route_localnet=1"]));
}

/** The names of the chains in the table; empty when there is none. */
async function listChains({ netns }: ProxyNode): Promise<ReadonlySet<string>> {
  const { stdout } = await runCommand(inNamespace(netns, ["nft", "list", "chains", "ip"]));
  const names = new Set<string>();
  let isOurs = false;
  for (const line of stdout.split("\n")) {
    const table = /^table ip (\S+) \{/.exec(line);
    if (table !== null) isOurs = table[1] === tableName;
    const chain = /^\tchain (\S+) \{/.exec(line);
    if (isOurs && chain?.[1] !== undefined) names.add(chain[1]);
  }
  return names;
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
