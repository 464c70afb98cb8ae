import type { Element, Table } from "./rule.ts";

/** Which chains a mode takes as its own. */
export interface ChainNames {
  /** Chains that get single rules from many. */
  isShared(table: Table, chain: string): boolean;
  /** Chains that are written whole. */
  isOwn(table: Table, chain: string): boolean;
}

/** What of ours, or of another service proxy with the same chains, stands in what `iptables-save` printed. Pure. */
export function parseSaved(text: string, names: ChainNames): Element[] {
  const elements: Element[] = [];
  const chains = new Map<string, string[]>();
  let table: Table | undefined;
  const endTable = () => {
    for (const [key, rules] of chains) if (table) elements.push({ set: table, key, value: rules.join("\n") });
    chains.clear();
  };
  for (const line of text.split("\n")) {
    const [, kind = "", chain = "", rest = ""] = /^(\*|:|-A )(\S+) ?(.*)$/.exec(line) ?? [];
    if (kind === "*") {
      endTable();
      table = chain === "filter" || chain === "nat" || chain === "mangle" ? chain : undefined;
    }
    if (table === undefined || kind === "") continue;
    const isShared = names.isShared(table, chain);
    if (kind === ":") {
      if (isShared) elements.push({ set: `${table} shared`, key: chain, value: "" });
      else if (names.isOwn(table, chain)) chains.set(chain, []);
    } else if (kind === "-A ") {
      const target = / ?-j (\S+)$/.exec(rest)?.[1] ?? "";
      const isJump = isBuiltIn(chain) && (names.isOwn(table, target) || names.isShared(table, target));
      if (isShared || isJump) {
        elements.push({ set: `${table} ${chain}`, key: rest, value: "" });
      } else chains.get(chain)?.push(rest);
    }
  }
  endTable();
  return elements;
}

/** What of the found is not in chains that another mode has taken over, and leads to none of them. Pure. */
export function withoutChainsOf(names: ChainNames, found: readonly Element[]): Element[] {
  return found.filter(({ set, key }) => {
    const [table = "", place = ""] = set.split(" ");
    const isTaken = (chain: string) => names.isOwn(table as Table, chain) || names.isShared(table as Table, chain);
    if (place === "" || place === "shared") return !isTaken(key);
    return !isTaken(isBuiltIn(place) ? (/ ?-j (\S+)$/.exec(key)?.[1] ?? "") : place);
  });
}

/** Rules that others wrote into chains of theirs are theirs, wherever they lead. */
function isBuiltIn(chain: string): boolean {
  return /^(?:INPUT|OUTPUT|FORWARD|PREROUTING|POSTROUTING)$/.test(chain);
}
