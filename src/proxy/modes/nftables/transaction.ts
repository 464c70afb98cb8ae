import type { Family } from "#base/cidr.ts";
import type { ElementChange } from "../ledger.ts";
import type { Element, SetName } from "./element.ts";
import { tableOf } from "./names.ts";

/** How many elements one command carries: enough to be cheap, few enough to be read in a log. */
const perCommand = 200;

/** The commands of a change: deletes before adds, so that a changed value is both. */
export function renderChange({ deletes, adds }: ElementChange<SetName>, family: Family = 4): string[] {
  return [...renderElements("delete", deletes, family), ...renderElements("add", adds, family)];
}

/**
 * A change in two parts. What a packet on its way may still be led to by an element it has passed is deleted only when no
 * packet passes that element any more: the kernel looks up each by what is in force at that moment, and not by what was
 * when the packet came.
 */
export function splitChange({ deletes, adds }: ElementChange<SetName>): {
  readonly now: ElementChange<SetName>;
  readonly later: readonly Element[];
} {
  if (deletes.length === 0) return { now: { deletes, adds }, later: [] };
  const kept = new Set(adds.map(({ set, key }) => `${set} ${key}`));
  const isLater = ({ set, key }: Element) => behind.test(set) && !kept.has(`${set} ${key}`);
  return {
    now: { deletes: deletes.filter((element) => !isLater(element)), adds },
    later: deletes.filter(isLater),
  };
}

/** Sets and maps that another element leads to. */
const behind = /^(?:endpoints-|(?:nodeport-)?affinity-|(?:nodeport-)?shortcuts$|local-)/;

/**
 * The elements of a first load into a table that holds none, as steps of transactions that may be made at once: what no
 * packet comes to before it is led there, halved, and then what leads there. Two programs are sooner done than one.
 */
export function renderFirstLoad(adds: readonly Element[], family: Family = 4): string[][][] {
  const leading = new Set<SetName>(["services", "nodeports"]);
  const others = renderElements(
    "add",
    adds.filter(({ set }) => !leading.has(set)),
    family,
  );
  const half = Math.ceil(others.length / 2);
  const last = renderElements(
    "add",
    adds.filter(({ set }) => leading.has(set)),
    family,
  );
  return [[others.slice(0, half), others.slice(half)], [last]];
}

export function renderElements(verb: "add" | "delete", elements: readonly Element[], family: Family = 4): string[] {
  const bySet = new Map<SetName, string[]>();
  for (const { set, key, value } of elements) {
    const texts = bySet.get(set) ?? [];
    texts.push(verb === "delete" || value === "" ? key : `${key} : ${value}`);
    bySet.set(set, texts);
  }
  const commands: string[] = [];
  for (const [set, texts] of bySet) {
    for (let at = 0; at < texts.length; at += perCommand) {
      commands.push(`${verb} element ${tableOf(family)} ${set} { ${texts.slice(at, at + perCommand).join(", ")} }`);
    }
  }
  return commands;
}
