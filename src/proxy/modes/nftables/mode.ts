import { systemClock } from "#base/clock.ts";
import { runOn } from "../../command.ts";
import type { ModeDefinition } from "../../definition.ts";
import type { ProxyNode } from "../../mode.ts";
import { createClaims } from "../claims.ts";
import { createFlowCleaner } from "../conntrack.ts";
import { summarize, type Damage } from "../damage.ts";
import { createElementLedger } from "../ledger.ts";
import { allowLoopback } from "../loopback.ts";
import { balancerOf, isBalancer, mapsOf, renderBalancer, withPrecursors, type Balancer } from "./balancer.ts";
import { NftError, openNftChannel } from "./channel.ts";
import type { SetName } from "./element.ts";
import { renderEntry } from "./elements.ts";
import { createInspection } from "./inspection.ts";
import { layoutMark, renderAdoption, renderLayout } from "./layout.ts";
import { tableName, tableOf, words } from "./names.ts";
import { renderChange, renderElements, renderFirstLoad, splitChange } from "./transaction.ts";

/**
 * Services as elements of a few maps in the table `ip kube-proxy`, and those of IPv6 in `ip6 kube-proxy`. The first
 * change takes over or replaces what stands in that table, in one transaction: traffic meets either the old rules or the
 * new ones. After a failure all is built anew from nothing.
 */
export const nftables: ModeDefinition = {
  name: "nftables",
  async probe(node) {
    const commands = [...renderLayout(node), ...samples.flatMap((sample) => renderBalancer(sample, node.family))];
    const checked = await runOn(node, ["nft", "-c", "-f", "-"], `${commands.join("\n")}\n`);
    if (checked.code === 0) return { works: true };
    return { works: false, reason: `nft cannot load the rules here: ${firstLine(checked.stderr)}` };
  },
  start(node, { log, clock = systemClock }) {
    const { family = 4 } = node;
    const channel = openNftChannel({ clock, place: node });
    const ledger = createElementLedger<SetName>();
    const flows = createFlowCleaner(node, log);
    const balancers = new Map<string, Balancer>();
    const claims = createClaims(
      ledger,
      (entry) => {
        const rendering = renderEntry(entry, node);
        for (const [name, balancer] of rendering.balancers) balancers.set(name, balancer);
        return rendering.elements;
      },
      log,
    );
    let inKernel = new Set<string>();
    let isInForce = false;
    let hasFailed = false;
    let found: readonly Damage[] = [];
    const inspection = createInspection({
      node,
      clock,
      ledger,
      commands: () => [
        ...renderLayout(node),
        ...[...inKernel].flatMap((name) => renderBalancer(balancerOf(name), family)),
      ],
    });

    /** What is in the kernel of an earlier start, to be kept; nothing of it after a failure. */
    async function findEarlier(): Promise<{ isTable: boolean; kept?: ReadonlySet<string> }> {
      if (hasFailed) return { isTable: true };
      const chains = await listChains(node);
      const isTable = chains.size > 0;
      return chains.has(layoutMark) ? { isTable, kept: new Set([...chains].filter(isBalancer)) } : { isTable };
    }

    /** The next transactions: those of one step at once, and one step after the other. */
    async function renderNext(): Promise<{ steps: string[][][]; changes: number }> {
      let start: string[] = [];
      let isEmpty = false;
      if (!isInForce) {
        const { isTable, kept } = await findEarlier();
        start = kept === undefined ? renderLayout(node) : renderAdoption(node, mapsOf(kept));
        inKernel = new Set(kept);
        isEmpty = !isTable;
      }
      const missing = [...balancers].filter(([name]) => !inKernel.has(name));
      const chains = missing.flatMap(([, balancer]) => renderBalancer(balancer, family));
      const change = isInForce ? ledger.take() : { deletes: [], adds: ledger.takeAll() };
      const changes = change.adds.length + change.deletes.length;
      const structure = [...start, ...chains];
      // Where nothing is yet, nobody can meet one half of it in place of the whole.
      if (isEmpty && changes > manyElements) {
        return { steps: [[structure], ...renderFirstLoad(change.adds, family)], changes };
      }
      const { now, later } = splitChange(change);
      const steps = [[[...structure, ...renderChange(now, family)]], [renderElements("delete", later, family)]];
      return { steps, changes };
    }

    async function isGone(): Promise<boolean> {
      try {
        // Adding a chain that is there changes nothing, and fails when the table has gone.
        await channel.run([`add chain ${tableOf(family)} ${layoutMark}`]);
        return false;
      } catch {
        return true;
      }
    }

    return {
      name: "nftables",
      async apply(diff) {
        const start = clock.monotonic();
        if (!isInForce) await allowLoopback(node);
        const present = claims.update(diff);
        try {
          const { steps, changes } = await renderNext();
          for (const step of steps) {
            const [first = [], ...others] = step;
            if (others.length > 0) await channel.runTogether(step);
            else if (first.length > 0) await channel.run(first);
            for (const { length } of step) if (length > 0) inspection.changed();
          }
          if (!isInForce) await inspection.begin();
          isInForce = true;
          hasFailed = false;
          for (const name of balancers.keys()) inKernel.add(name);
          flows.request(present);
          return { revision: diff.revision, changes, ms: clock.monotonic() - start };
        } catch (error) {
          isInForce = false;
          hasFailed = true;
          throw claims.refusal(diff, error, error instanceof NftError ? error.at : undefined);
        }
      },
      problems: () => claims.problems(),
      async isIntact() {
        if (!isInForce) return true;
        const damage = await inspection.look();
        const isLost = damage === undefined && (await isGone());
        found = isLost ? [{ text: `table ${tableOf(family)} is gone`, isStructure: true }] : (damage ?? []);
        if (found.length === 0) return true;
        isInForce = false;
        // Chains and maps are made from nothing then; where only elements are, the memory of affinity is kept.
        hasFailed = found.some(({ isStructure }) => isStructure);
        return false;
      },
      damage: () => summarize(found),
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

/** A load of more than this is worth two programs. */
const manyElements = 5_000;

/** One balancer of each shape. */
const samples: readonly Balancer[] = [0, 10_800].flatMap((affinitySeconds) =>
  withPrecursors({ by: "address", of: "all", count: 2, affinitySeconds, masquerade: affinitySeconds === 0 }),
);

async function removeTable(node: ProxyNode): Promise<void> {
  const table = tableOf(node.family ?? 4);
  // An added table can be deleted, there or not.
  const removal = [`add table ${table}`, `delete table ${table}`];
  const removed = await runOn(node, ["nft", "-f", "-"], `${removal.join("\n")}\n`);
  if (removed.code !== 0) {
    throw new Error(`the rules on ${node.name} could not be removed: ${firstLine(removed.stderr)}`);
  }
}

/** The names of the chains in the table; empty when there is none. */
async function listChains(node: ProxyNode): Promise<ReadonlySet<string>> {
  const { ip } = words[node.family ?? 4];
  const { stdout } = await runOn(node, ["nft", "list", "chains", ip]);
  const names = new Set<string>();
  let isOurs = false;
  for (const line of stdout.split("\n")) {
    const table = /^table (\S+) (\S+) \{/.exec(line);
    if (table !== null) isOurs = table[1] === ip && table[2] === tableName;
    const chain = /^\tchain (\S+) \{/.exec(line);
    if (isOurs && chain?.[1] !== undefined) names.add(chain[1]);
  }
  return names;
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
