import { systemClock } from "#base/clock.ts";
import type { ServicePortEntry } from "#routing/l4/table.ts";
import { inNamespace, runCommand } from "../../command.ts";
import type { ModeDefinition } from "../../definition.ts";
import type { ProxyNode } from "../../mode.ts";
import { renderBalancer, type Balancer } from "./balancer.ts";
import { openNftChannel } from "./channel.ts";
import { createFlowCleaner } from "./conntrack.ts";
import { renderEntry } from "./elements.ts";
import { renderLayout } from "./layout.ts";
import { createElementLedger } from "./ledger.ts";
import { tableName } from "./names.ts";
import { renderChange, renderElements } from "./transaction.ts";

/** An added table can be deleted, there or not: so what comes after starts from nothing, in the same transaction. */
const fresh = [`add table ip ${tableName}`, `delete table ip ${tableName}`];

/**
 * Services as elements of a few maps in the table `ip kube-proxy`. The first change replaces whatever stands in that
 * table, in one transaction: traffic meets either the old rules or the new ones. After a failure all is built anew.
 */
export const nftables: ModeDefinition = {
  name: "nftables",
  async probe(node) {
    const commands = [...fresh, ...renderLayout(node), ...renderBalancer(sample)];
    const checked = await runCommand(inNamespace(node.netns, ["nft", "-c", "-f", "-"]), `${commands.join("\n")}\n`);
    if (checked.code === 0) return { works: true };
    return { works: false, reason: `nft cannot load the rules here: ${firstLine(checked.stderr)}` };
  },
  start(node, { log, clock = systemClock }) {
    const channel = openNftChannel({ clock, ...(node.netns === undefined ? {} : { netns: node.netns }) });
    const ledger = createElementLedger();
    const flows = createFlowCleaner(node, log);
    const balancers = new Map<string, Balancer>();
    let inKernel = new Set<string>();
    let isInForce = false;

    function claim(entry: ServicePortEntry): void {
      const rendering = renderEntry(entry, node);
      ledger.claim(entry.id, rendering.elements);
      for (const [name, balancer] of rendering.balancers) balancers.set(name, balancer);
    }

    function renderNext(): { commands: string[]; changes: number } {
      const missing = [...balancers].filter(([name]) => !isInForce || !inKernel.has(name));
      const chains = missing.flatMap(([, balancer]) => renderBalancer(balancer));
      if (isInForce) {
        const change = ledger.take();
        const commands = [...chains, ...renderChange(change)];
        return { commands, changes: change.adds.length + change.deletes.length };
      }
      const elements = ledger.takeAll();
      const commands = [...fresh, ...renderLayout(node), ...chains, ...renderElements("add", elements)];
      return { commands, changes: elements.length };
    }

    return {
      name: "nftables",
      async apply(diff) {
        const start = clock.monotonic();
        if (!isInForce) await allowLoopback(node);
        for (const entry of diff.removed) ledger.claim(entry.id, []);
        const present = [...diff.added, ...diff.changed.map(({ after }) => after)];
        for (const entry of present) claim(entry);
        const { commands, changes } = renderNext();
        try {
          if (commands.length > 0) await channel.run(commands);
        } catch (error) {
          isInForce = false;
          throw error;
        }
        isInForce = true;
        inKernel = new Set(balancers.keys());
        flows.request(present);
        return { revision: diff.revision, changes, ms: clock.monotonic() - start };
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

const sample: Balancer = { by: "address", of: "all", count: 2, affinitySeconds: 10_800, masquerade: false };

async function removeTable(node: ProxyNode): Promise<void> {
  const removed = await runCommand(inNamespace(node.netns, ["nft", "-f", "-"]), `${fresh.join("\n")}\n`);
  if (removed.code !== 0) {
    throw new Error(`the rules on ${node.name} could not be removed: ${firstLine(removed.stderr)}`);
  }
}

/** Lets a process of the node reach node ports at 127.0.0.1; where it is forbidden, every other address works. */
async function allowLoopback({ netns }: ProxyNode): Promise<void> {
  await runCommand(inNamespace(netns, ["sysctl", "-q", "-w", "net.ipv4.conf.all.route_localnet=1"]));
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
