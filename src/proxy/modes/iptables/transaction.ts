import type { ElementChange } from "../ledger.ts";
import { isLastRule } from "./layout.ts";
import type { Element, Place, Table } from "./rule.ts";

/**
 * How many chains and single rules one call carries, and so never more than as many service ports. The time iptables-nft
 * takes grows with the square of a call's size: ten thousand Services in one call are two minutes, in small calls
 * seconds.
 */
export const callLimit = 500;

/** One chain or one single rule. */
interface Step {
  readonly table: Table;
  readonly isRemoval: boolean;
  /** The chain that is made, or emptied. */
  readonly declares?: string;
  readonly commands: readonly string[];
}

/**
 * The inputs of `iptables-restore --noflush` that make a change true, one after the other. A chain is there before a rule
 * leads to it. What refuses goes into force before the translation it stands for goes, and ends after the new one came.
 */
export function renderChange({ deletes, adds }: ElementChange<Place>, limit = callLimit): string[] {
  const isAdded = new Set(adds.filter((element) => !isRule(element)).map((element) => idOf(element)));
  const gone = deletes.filter((element) => !isRule(element) && !isAdded.has(idOf(element)));
  const steps = [
    ...adds
      .filter((element) => !isRule(element))
      .sort((a, b) => rankOf(a) - rankOf(b))
      .map(write),
    // What stands first is inserted last.
    ...adds.filter(isRule).reverse().map(insert),
    ...deletes.filter(isRule).map(drop),
    ...gone.sort((a, b) => rankOf(b) - rankOf(a)).map(remove),
  ];
  const calls: string[] = [];
  for (let at = 0; at < steps.length; at += limit) calls.push(renderCall(steps.slice(at, at + limit)));
  return calls;
}

function write({ set, key, value }: Element): Step {
  const commands = value === "" ? [] : value.split("\n").map((rule) => `-A ${key} ${rule}`);
  return { table: tableOf(set), isRemoval: false, declares: key, commands };
}

function insert({ set, key }: Element): Step {
  return {
    table: tableOf(set),
    isRemoval: false,
    commands: [`-${isLastRule(key) ? "A" : "I"} ${chainOf(set)} ${key}`],
  };
}

function drop({ set, key }: Element): Step {
  return { table: tableOf(set), isRemoval: true, commands: [`-D ${chainOf(set)} ${key}`] };
}

/** A shared chain is empty by then, and to empty it in the same call would be to miss the rules that are deleted. */
function remove({ set, key }: Element): Step {
  const step = { table: tableOf(set), isRemoval: true, commands: [`-X ${key}`] };
  return isShared({ set }) ? step : { ...step, declares: key };
}

/** Each table takes effect at its COMMIT, at once. */
function renderCall(steps: readonly Step[]): string {
  const sections: readonly (readonly [Table, readonly Step[]])[] = [
    ["mangle", steps.filter(({ table }) => table === "mangle")],
    ["filter", steps.filter(({ table, isRemoval }) => table === "filter" && !isRemoval)],
    ["nat", steps.filter(({ table }) => table === "nat")],
    ["filter", steps.filter(({ table, isRemoval }) => table === "filter" && isRemoval)],
  ];
  return sections
    .filter(([, parts]) => parts.length > 0)
    .flatMap(([table, parts]) => [
      `*${table}`,
      ...parts.flatMap(({ declares }) => (declares === undefined ? [] : [`:${declares} - [0:0]`])),
      ...parts.flatMap(({ commands }) => commands),
      "COMMIT",
    ])
    .join("\n");
}

/** A single rule in a shared chain, and not a chain. */
function isRule({ set }: Element): boolean {
  return set.includes(" ") && !isShared({ set });
}

function isShared({ set }: Pick<Element, "set">): boolean {
  return set.endsWith(" shared");
}

function idOf({ set, key }: Element): string {
  return `${tableOf(set)} ${key}`;
}

function tableOf(set: Place): Table {
  return (set.split(" ")[0] ?? set) as Table;
}

function chainOf(set: Place): string {
  return set.slice(set.indexOf(" ") + 1);
}

const order = ["SEP", "SVC", "SVL", "EXT", "FW"];

/** Chains lead to those of a lower rank only. */
function rankOf({ set, key }: Element): number {
  return isShared({ set }) ? order.length : order.indexOf(/^KUBE-(\w+)-[A-Z2-7]{16}$/.exec(key)?.[1] ?? "");
}
