import { systemClock } from "#base/clock.ts";
import type { ModeDefinition, ModeProbe } from "../../definition.ts";
import type { ProxyNode } from "../../mode.ts";
import { createClaims } from "../claims.ts";
import { createFlowCleaner } from "../conntrack.ts";
import { isMissing } from "../iptables/command.ts";
import { ownerNote, summarize, type Damage } from "../damage.ts";
import { compareRules } from "../iptables/inspect.ts";
import { iptables } from "../iptables/mode.ts";
import { createElementLedger, diffElements } from "../ledger.ts";
import { createPace } from "../pace.ts";
import { ask, give, IpvsError } from "./command.ts";
import type { Element, Place } from "./element.ts";
import { parseConnections } from "./kernel.ts";
import { renderRules } from "./layout.ts";
import { applyRules, clearNode, localAddresses, prepareNode, readNode, readRules } from "./node.ts";
import { renderEntry } from "./render.ts";
import { schedulerOf } from "./settings.ts";
import { elementOf, renderChange } from "./transaction.ts";

/** How often real servers that only finish their connections are looked at (upstream `graceful_termination.go`). */
const drainMs = 60_000;
/** Reading everything back takes at most one part in so many of the time. */
const inspectionShare = 100;

/**
 * Services as virtual servers of the kernel's ip_vs, with few rules over ipsets, as upstream's ipvs mode does. A kernel
 * without ip_vs gets the mode iptables instead.
 */
export const ipvs: ModeDefinition = {
  name: "ipvs",
  fallback: "iptables",
  probe: (node) => probe(node),
  start(node, { log, clock = systemClock }) {
    const settings = node.ipvs ?? {};
    const rules = renderRules(node);
    const ledger = createElementLedger<Place>();
    let addresses: readonly string[] = node.addresses;
    const claims = createClaims(ledger, (entry) => renderEntry(entry, { ...node, addresses }, settings), log);
    const flows = createFlowCleaner(node, log);
    const inspections = createPace(clock, inspectionShare);
    let draining: ReadonlySet<string> = new Set();
    let isInForce = false;
    let isKnown = false;
    let found: readonly Damage[] = [];
    let cancelDrain = () => {};
    /** Draining and applying take turns. */
    let tail: Promise<unknown> = Promise.resolve();

    function inTurn<T>(work: () => Promise<T>): Promise<T> {
      const turn = tail.then(work);
      tail = turn.catch(() => {});
      return turn;
    }

    async function makeTrue(): Promise<number> {
      let change = ledger.take();
      if (!isInForce) {
        await prepareNode(node, settings, log);
        change = diffElements(await readNode(node, settings), ledger.takeAll());
        draining = new Set();
      }
      const wasInForce = isInForce;
      isInForce = false;
      const next = renderChange(change, draining, node.family);
      for (const command of next.commands) await give(node, command);
      // Last: the rules take the place of those by which another mode may have served until now.
      if (!wasInForce) await applyRules(node, rules);
      draining = next.draining;
      isInForce = true;
      return change.adds.length + change.deletes.length;
    }

    /** All of it, read back and compared; real servers that only finish their connections are nobody's damage. */
    async function inspect(): Promise<Damage[]> {
      const there = (await readNode(node, settings)).filter(
        ({ set, key, value }) => !(set === "real" && value === "0" && draining.has(key)),
      );
      const wanted = ledger.takeAll();
      const { deletes, adds } = diffElements(there, wanted);
      const named = (element: Element, what: string): Damage => ({
        text: `${element.set} ${element.key} ${what}${ownerNote(ledger, element)}`,
        isStructure: false,
      });
      return [
        ...adds.map((element) => named(element, "is gone or changed")),
        ...deletes
          .filter(({ set, key }) => !adds.some((other) => other.set === set && other.key === key))
          .map((element) => named(element, "is not of the service proxy")),
        ...compareRules(await readRules(node), rules, createElementLedger()),
      ];
    }

    /** Ends the real servers whose last connection is over. */
    async function drain(): Promise<void> {
      const waiting = draining;
      if (waiting.size === 0) return;
      const reals = parseConnections(await ask(node, ["ipvsadm", "-L", "-n"]));
      const busy = new Set(reals.filter(({ connections }) => connections > 0).map(({ key }) => key));
      const idle = reals.filter(({ key, weight }) => waiting.has(key) && weight === 0 && !busy.has(key));
      if (idle.length > 0) await give(node, ["ipvsadm", idle.map(({ key }) => `-d ${key}\n`).join("")]);
      draining = new Set([...waiting].filter((key) => busy.has(key)));
    }

    function scheduleDrain(): void {
      cancelDrain();
      if (draining.size === 0) return;
      cancelDrain = clock.after(drainMs, () => {
        inTurn(drain)
          .catch((error: unknown) => log.warn({ node: node.name, error: String(error) }, "draining ipvs failed"))
          .finally(scheduleDrain);
      });
    }

    return {
      name: "ipvs",
      apply: (diff) =>
        inTurn(async () => {
          const start = clock.monotonic();
          if (!isKnown) addresses = await localAddresses(node);
          isKnown = true;
          const present = claims.update(diff);
          try {
            const changes = await makeTrue();
            scheduleDrain();
            flows.request(present);
            return { revision: diff.revision, changes, ms: clock.monotonic() - start };
          } catch (error) {
            throw claims.refusal(
              diff,
              error,
              error instanceof IpvsError ? elementOf(error.line, node.family) : undefined,
            );
          }
        }),
      problems: () => claims.problems(),
      isIntact: () =>
        inTurn(async () => {
          if (!isInForce) return true;
          try {
            const damage = await inspections.run(inspect);
            found = damage ?? [];
          } catch (error) {
            found = [{ text: error instanceof Error ? error.message : String(error), isStructure: true }];
          }
          isInForce = found.length === 0;
          return isInForce;
        }),
      damage: () => summarize(found),
      async stop() {
        cancelDrain();
        await tail;
        await flows.stop();
      },
      async cleanup() {
        isInForce = false;
        await clear(node);
      },
    };
  },
  cleanup: clear,
};

/** A virtual server in a range for documentation, as upstream's probe makes it, and away again. */
async function probe(node: ProxyNode): Promise<ModeProbe> {
  const server = ["-t", node.family === 6 ? "[2001:db8::1]:20000" : "198.51.100.0:20000"];
  try {
    await ask(node, ["ipvsadm", "-A", ...server, "-s", schedulerOf(node.ipvs ?? {})]);
    await ask(node, ["ipvsadm", "-D", ...server]);
    await ask(node, ["ipset", "list", "-n"]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (isMissing(reason)) return { works: false, reason: `${reason}; install the packages ipvsadm and ipset` };
    return { works: false, reason: `this kernel cannot do it: ${reason}` };
  }
  return iptables.probe(node);
}

async function clear(node: ProxyNode): Promise<void> {
  try {
    await clearNode(node, node.ipvs ?? {});
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // A kernel without ip_vs, or a machine without the programs, never had anything of this mode.
    if (isMissing(reason) || /Can't initialize ipvs|Kernel error received/.test(reason)) return;
    throw new Error(`what ipvs left on ${node.name} could not be removed: ${reason}`, { cause: error });
  }
}
