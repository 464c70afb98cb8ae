import { systemClock } from "#base/clock.ts";
import { inNamespace, runCommand } from "../../command.ts";
import type { ModeDefinition } from "../../definition.ts";
import type { ProxyNode } from "../../mode.ts";
import { createClaims } from "../claims.ts";
import { createFlowCleaner } from "../conntrack.ts";
import { createKnownWords, summarize, type Damage } from "../damage.ts";
import { readGeneration } from "../generation.ts";
import { createElementLedger } from "../ledger.ts";
import { allowLoopback } from "../loopback.ts";
import { createPace } from "../pace.ts";
import { balancerOf, isBalancer, mapsOf, renderBalancer, withPrecursors, type Balancer } from "./balancer.ts";
import { openNftChannel } from "./channel.ts";
import type { SetName } from "./element.ts";
import { renderEntry } from "./elements.ts";
import { compareTable, parseTable, structureOf } from "./inspect.ts";
import { layoutMark, renderAdoption, renderLayout } from "./layout.ts";
import { tableName } from "./names.ts";
import { renderChange, renderElements, splitChange } from "./transaction.ts";

/** Reading all of it back takes at most one part in so many of the time. */
const inspectionShare = 100;

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
    const inspections = createPace(clock, inspectionShare);
    const words = createKnownWords();
    let found: readonly Damage[] = [];
    /** The kernel's count of changes when all was looked at, and how many changes of ours have come since. */
    /** Something was found changed and made again: what still looks changed then is only printed so. */
    let isSuspected = false;
    let looked: { readonly generation: number; since: number } | undefined;

    /** What is in the kernel of an earlier start, to be kept; nothing after a failure. */
    async function findEarlier(): Promise<ReadonlySet<string> | undefined> {
      if (hasFailed) return undefined;
      const chains = await listChains(node);
      return chains.has(layoutMark) ? new Set([...chains].filter((name) => isBalancer(name))) : undefined;
    }

    async function renderNext(): Promise<{ commands: string[]; later: string[]; changes: number }> {
      let start: string[] = [];
      if (!isInForce) {
        const earlier = await findEarlier();
        start = earlier === undefined ? renderLayout(node) : renderAdoption(node, mapsOf(earlier));
        inKernel = new Set(earlier);
      }
      const missing = [...balancers].filter(([name]) => !inKernel.has(name));
      const chains = missing.flatMap(([, balancer]) => renderBalancer(balancer));
      const change = isInForce ? ledger.take() : { deletes: [], adds: ledger.takeAll() };
      const { now, later } = splitChange(change);
      const commands = [...start, ...chains, ...renderChange(now)];
      return { commands, later: renderElements("delete", later), changes: change.adds.length + change.deletes.length };
    }

    async function startCounting(): Promise<typeof looked> {
      const generation = await readGeneration(node);
      return generation === undefined ? undefined : { generation, since: 0 };
    }

    /** All of it, read back and compared. */
    async function inspect(): Promise<Damage[]> {
      const list = inNamespace(node.netns, ["nft", "list", "table", "ip", tableName]);
      const { code, stdout } = await runCommand(list);
      if (code !== 0) return [{ text: `table ip ${tableName} is gone`, isStructure: true }];
      const elements = new Map<string, Map<string, string>>();
      for (const { set, key, value } of ledger.takeAll()) {
        const inSet = elements.get(set) ?? new Map<string, string>();
        if (inSet.size === 0) elements.set(set, inSet);
        inSet.set(key, value);
      }
      return compareTable(parseTable(stdout), { ...structureOf(commandsOf(node, inKernel)), ledger, elements });
    }

    async function isGone(): Promise<boolean> {
      try {
        // Adding a chain that is there changes nothing, and fails when the table has gone.
        await channel.run([`add chain ip ${tableName} ${layoutMark}`]);
        return false;
      } catch {
        found = [{ text: `table ip ${tableName} is gone`, isStructure: true }];
        isInForce = false;
        hasFailed = true;
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
          const { commands, later, changes } = await renderNext();
          for (const part of [commands, later].filter(({ length }) => length > 0)) {
            await channel.run(part);
            if (isInForce && looked !== undefined) looked.since += 1;
          }
          if (!isInForce) looked = await startCounting();
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
      problems: () => claims.problems(),
      async isIntact() {
        if (!isInForce) return true;
        const generation = await readGeneration(node);
        const isUntouched = looked !== undefined && generation === (looked.generation + looked.since) % 2 ** 32;
        if (isUntouched && !isSuspected) return true;
        const damage = isUntouched ? await inspect() : await inspections.run(inspect);
        if (damage === undefined) return !(await isGone());
        if (isUntouched) words.learn(damage);
        isSuspected = !isUntouched && damage.length > 0;
        if (generation !== undefined) looked = { generation, since: 0 };
        found = words.without(damage);
        if (found.length === 0) return true;
        isInForce = false;
        // Chains and maps are made from nothing then; of elements the memory of affinity is kept.
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

/** All that makes the chains and maps there are now. */
function commandsOf(node: ProxyNode, chains: ReadonlySet<string>): string[] {
  return [...renderLayout(node), ...[...chains].flatMap((name) => renderBalancer(balancerOf(name)))];
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
