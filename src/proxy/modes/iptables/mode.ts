import type { Family } from "#base/cidr.ts";
import { systemClock } from "#base/clock.ts";
import { runOn } from "../../command.ts";
import type { ModeDefinition } from "../../definition.ts";
import type { ProxyNode } from "../../mode.ts";
import { createClaims } from "../claims.ts";
import { createFlowCleaner } from "../conntrack.ts";
import { createKnownWords, summarize, type Damage } from "../damage.ts";
import { readGeneration } from "../generation.ts";
import { createElementLedger, diffElements } from "../ledger.ts";
import { accessChain, chainNames as ipvsChains } from "../ipvs/layout.ts";
import { allowLoopback } from "../loopback.ts";
import { createPace } from "../pace.ts";
import { IptablesError, isMissing, restore, save, usesLegacy } from "./command.ts";
import { compareRules } from "./inspect.ts";
import { parseSaved, withoutChainsOf } from "./kernel.ts";
import { chainNames, guard, renderLayout, tripwire } from "./layout.ts";
import { canaryChain } from "./names.ts";
import { renderEntry } from "./render.ts";
import type { Place } from "./rule.ts";
import { renderChange } from "./transaction.ts";

/** Reading all rules back takes at most one part in so many of the time. */
const inspectionShare = 100;

/**
 * Services as chains and rules of iptables, named and built as upstream's iptables mode does. The first change compares
 * with what stands in the kernel and writes the difference only, so a new start interrupts nothing; later ones write
 * the chains that changed.
 */
export const iptables: ModeDefinition = {
  name: "iptables",
  async probe(node) {
    try {
      await restore(node, probe(node.family ?? 4));
      return { works: true };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!isMissing(reason)) return { works: false, reason: `iptables cannot load the rules here: ${reason}` };
      return { works: false, reason: `iptables-restore cannot be run (${reason}); install the package iptables` };
    }
  },
  start(node, { log, clock = systemClock }) {
    const ledger = createElementLedger<Place>();
    const claims = createClaims(ledger, (entry) => renderEntry(entry, node), log);
    const flows = createFlowCleaner(node, log);
    let isInForce = false;
    const inspections = createPace(clock, inspectionShare);
    const words = createKnownWords();
    let found: readonly Damage[] = [];
    /** The kernel's count of changes when nobody but us can have changed anything. */
    let looked: number | undefined;
    /** Something was found changed and made again: what still looks changed then is only printed so. */
    let isSuspected = false;
    ledger.claim("layout", renderLayout(node));

    /** Of iptables-legacy the count knows nothing. */
    async function read(): Promise<number | undefined> {
      isLegacy ??= await usesLegacy(node);
      return isLegacy ? undefined : readGeneration(node);
    }
    let isLegacy: boolean | undefined;

    async function inspect(): Promise<Damage[]> {
      return compareRules(parseSaved(await save(node), chainNames), ledger.takeAll(), ledger);
    }

    async function call(texts: readonly string[]): Promise<void> {
      for (const text of texts) await restore(node, text);
    }

    /** Makes the kernel hold what is claimed, whatever it holds now. Answers how many chains and rules that took. */
    async function applyAll(): Promise<number> {
      isInForce = false;
      await allowLoopback(node);
      await passUntranslated(node);
      const change = diffElements(parseSaved(await save(node), chainNames), ledger.takeAll());
      await call(renderChange(change));
      looked = await read();
      isInForce = true;
      return change.adds.length + change.deletes.length;
    }

    async function applyChange(): Promise<number> {
      const change = ledger.take();
      const count = change.adds.length + change.deletes.length;
      if (count === 0) return 0;
      const [first = "", ...rest] = renderChange(change);
      looked = undefined;
      try {
        await call([`${tripwire}\n${first}`, ...rest]);
        return count;
      } catch (error) {
        log.warn({ node: node.name, error: String(error) }, "a change of iptables failed; all rules are compared anew");
        return applyAll();
      }
    }

    return {
      name: "iptables",
      async apply(diff) {
        const start = clock.monotonic();
        const present = claims.update(diff);
        try {
          const changes = await (isInForce ? applyChange() : applyAll());
          flows.request(present);
          return { revision: diff.revision, changes, ms: clock.monotonic() - start };
        } catch (error) {
          throw claims.refusal(diff, error, error instanceof IptablesError ? error.at : undefined);
        }
      },
      problems: () => claims.problems(),
      async isIntact() {
        if (!isInForce) return true;
        try {
          const generation = await read();
          const isUntouched = generation !== undefined && generation === looked;
          if (isUntouched && !isSuspected) return true;
          const damage = isUntouched ? await inspect() : await inspections.run(inspect);
          // Between two looks at everything: whether chains or the ways to them were taken away.
          if (damage === undefined) await restore(node, guard);
          else {
            if (isUntouched) words.learn(damage);
            isSuspected = !isUntouched && damage.length > 0;
            looked = generation;
            found = words.without(damage);
            isInForce = found.length === 0;
          }
        } catch (error) {
          found = [{ text: error instanceof Error ? error.message : String(error), isStructure: true }];
          isInForce = false;
        }
        return isInForce;
      },
      damage: () => summarize(found),
      stop: () => flows.stop(),
      async cleanup() {
        isInForce = false;
        await removeRules(node);
      },
    };
  },
  cleanup: removeRules,
};

/** Addresses for documentation. */
const sample = { 4: "192.0.2.1:1", 6: "[2001:db8::1]:1" } as const satisfies Record<Family, string>;

/** One rule of each kind, in chains that are gone again when the kernel has taken them. */
const probe = (family: Family) =>
  [
    "*filter",
    ":KUBE-PROXY-PROBE - [0:0]",
    '-A KUBE-PROXY-PROBE -m conntrack --ctstate NEW -m comment --comment "probe" -j REJECT',
    "-F KUBE-PROXY-PROBE",
    "-X KUBE-PROXY-PROBE",
    "COMMIT",
    "*nat",
    ":KUBE-PROXY-PROBE - [0:0]",
    "-A KUBE-PROXY-PROBE -m statistic --mode random --probability 0.5 -j MARK --or-mark 0x4000",
    "-A KUBE-PROXY-PROBE -m recent --rcheck --seconds 10 --reap --name KUBE-PROXY-PROBE -j RETURN",
    `-A KUBE-PROXY-PROBE -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 1 -j DNAT --to-destination ${sample[family]}`,
    "-A KUBE-PROXY-PROBE -m mark --mark 0x4000/0x4000 -j MASQUERADE --random-fully",
    "-F KUBE-PROXY-PROBE",
    "-X KUBE-PROXY-PROBE",
    "COMMIT",
  ].join("\n");

async function removeRules(node: ProxyNode): Promise<void> {
  try {
    const saved = await save(node);
    const found = parseSaved(saved, chainNames);
    // The mode ipvs has chains of the same names, and no canary.
    const isOurs = found.some(({ key }) => key === canaryChain);
    const rest = saved.includes(`:${accessChain} `) ? withoutChainsOf(ipvsChains, found) : found;
    for (const text of isOurs ? renderChange(diffElements(rest, [])) : []) await restore(node, text);
    if (node.netns !== undefined) await ipRule(node, "del");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // Who has no iptables never had rules of it.
    if (isMissing(reason)) return;
    throw new Error(`the rules on ${node.name} could not be removed: ${reason}`, { cause: error });
  }
}

/**
 * On nodes of our own, routing turns packets away that are still for a service address when they are to be forwarded.
 * REJECT stands behind that, in FORWARD, and is the better answer, so they are routed like all others. Machines of
 * others route as they do.
 */
async function passUntranslated(node: ProxyNode): Promise<void> {
  // The rule that is there already is refused.
  if (node.netns !== undefined) await ipRule(node, "add");
}

/** Before the rules that `node/network` makes. */
const preference = "990";

async function ipRule(node: ProxyNode, verb: "add" | "del"): Promise<void> {
  await runOn(node, ["ip", `-${node.family ?? 4}`, "rule", verb, "pref", preference, "lookup", "main"]);
}
