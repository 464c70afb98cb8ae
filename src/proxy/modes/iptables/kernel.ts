import type { ElementChange } from "../ledger.ts";
import { isOurJump, isSharedChain, isStaticChain } from "./layout.ts";
import { servicePattern } from "./names.ts";
import type { Element, Place, Table } from "./rule.ts";

/** What of ours, or of another service proxy with the same chains, stands in what `iptables-save` printed. Pure. */
export function parseSaved(text: string): Element[] {
  const elements: Element[] = [];
  const chains = new Map<string, string[]>();
  let table: Table | undefined;
  for (const line of text.split("\n")) {
    const [, kind = "", chain = "", rest = ""] = /^(\*|:|-A )(\S+) ?(.*)$/.exec(line) ?? [];
    if (kind === "*") {
      for (const [key, rules] of chains) if (table) elements.push({ set: table, key, value: rules.join("\n") });
      chains.clear();
      table = chain === "filter" || chain === "nat" || chain === "mangle" ? chain : undefined;
    }
    if (table === undefined || kind === "") continue;
    const isShared = isSharedChain(table, chain);
    if (kind === ":") {
      if (isShared) elements.push({ set: `${table} shared`, key: chain, value: "" });
      else if (servicePattern.test(chain) || isStaticChain(chain)) chains.set(chain, []);
    } else if (kind === "-A ") {
      if (isShared || (!chains.has(chain) && isOurJump(rest))) {
        elements.push({ set: `${table} ${chain}`, key: rest, value: "" });
      } else chains.get(chain)?.push(rest);
    }
  }
  for (const [key, rules] of chains) if (table) elements.push({ set: table, key, value: rules.join("\n") });
  return elements;
}

/** What has to change so that exactly the wanted stands there. */
export function diffKernel(found: readonly Element[], wanted: readonly Element[]): ElementChange<Place> {
  const idOf = ({ set, key }: Element) => `${set} ${key}`;
  const missing = new Map(wanted.map((element) => [idOf(element), element]));
  const deletes: Element[] = [];
  for (const element of found) {
    const id = idOf(element);
    // What stands twice is found wanted once.
    if (missing.get(id)?.value === element.value) missing.delete(id);
    else deletes.push(element);
  }
  return { deletes, adds: [...missing.values()] };
}

/**
 * Whether as much stands there as is wanted, chain by chain. Texts are not compared: an iptables that prints a rule in
 * other words than ours must not look like another program's work.
 */
export function isComplete(found: readonly Element[], wanted: readonly Element[]): boolean {
  const counts = new Map<string, number>();
  const count = (elements: readonly Element[], step: number) => {
    for (const { set, key, value } of elements) {
      const [id, rules] = set.includes(" ") ? [set, 1] : [`${set} ${key}`, value.split("\n").length];
      counts.set(id, (counts.get(id) ?? 0) + step * rules);
    }
  };
  count(wanted, 1);
  count(found, -1);
  return [...counts.values()].every((left) => left === 0);
}
