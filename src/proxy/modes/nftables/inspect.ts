import { ownerNote, type Damage } from "../damage.ts";
import type { ElementLedger } from "../ledger.ts";
import type { SetName } from "./element.ts";

/** What `nft list table` printed: the rules of each chain and the elements of each set and map, `key` to `value`. */
export interface ListedTable {
  readonly chains: ReadonlyMap<string, number>;
  readonly sets: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** What should stand there. */
export interface WantedTable {
  /** By chain: how many rules. */
  readonly chains: ReadonlyMap<string, number>;
  readonly sets: ReadonlySet<string>;
  readonly ledger: ElementLedger<SetName>;
  /** Everything the ledger has in effect. */
  readonly elements: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** Reads a table. Pure. */
export function parseTable(text: string): ListedTable {
  const chains = new Map<string, number>();
  const sets = new Map<string, Map<string, string>>();
  let chain: string | undefined;
  let set: Map<string, string> | undefined;
  let isInElements = false;
  for (const line of text.split("\n")) {
    const [, kind, name = ""] = /^\t(chain|map|set) (\S+) \{/.exec(line) ?? [];
    if (kind === "chain") {
      chain = name;
      chains.set(name, 0);
    } else if (kind !== undefined) {
      set = new Map();
      sets.set(name, set);
    } else if (line === "\t}") {
      [chain, set, isInElements] = [undefined, undefined, false];
    } else if (chain !== undefined && !/^\t\ttype \S+ hook /.test(line)) {
      chains.set(chain, (chains.get(chain) ?? 0) + 1);
    } else if (set !== undefined) {
      if (line.startsWith("\t\telements = { ")) isInElements = true;
      if (!isInElements) continue;
      for (const element of line.replace("elements = {", "").replace(/ \}$/, "").split(",")) {
        const [key = "", value = ""] = element.trim().split(" : ");
        if (key !== "") set.set(key, value);
      }
    }
  }
  return { chains, sets };
}

/** The chains and sets that these commands make, with the number of rules. Pure. */
export function structureOf(commands: readonly string[]): Pick<WantedTable, "chains" | "sets"> {
  const chains = new Map<string, number>();
  const sets = new Set<string>();
  for (const command of commands) {
    const [, kind, name = ""] = /^add (chain|rule|map|set) ip6? \S+ (\S+)/.exec(command) ?? [];
    if (kind === "chain") chains.set(name, chains.get(name) ?? 0);
    else if (kind === "rule") chains.set(name, (chains.get(name) ?? 0) + 1);
    else if (kind !== undefined) sets.add(name);
  }
  return { chains, sets };
}

/** What is not as it should be, each thing by its name and its Service's. Pure. */
export function compareTable(listed: ListedTable, wanted: WantedTable): Damage[] {
  const damage: Damage[] = [];
  const structure = (text: string) => damage.push({ text, isStructure: true });
  for (const [name, rules] of wanted.chains) {
    const found = listed.chains.get(name);
    if (found === undefined) structure(`chain ${name} is gone`);
    else if (found !== rules) structure(`chain ${name} has ${found} rules and not ${rules}`);
  }
  for (const name of listed.chains.keys()) {
    if (!wanted.chains.has(name)) structure(`chain ${name} is not of the service proxy`);
  }
  for (const name of wanted.sets) if (!listed.sets.has(name)) structure(`map or set ${name} is gone`);
  for (const [name, found] of listed.sets) {
    if (!wanted.sets.has(name)) structure(`map or set ${name} is not of the service proxy`);
    const elements = wanted.elements.get(name);
    // What packets write into the memory of affinity is nobody's damage.
    if (/^(?:nodeport-)?affinity$/.test(name)) continue;
    const note = (key: string) => ownerNote(wanted.ledger, { set: name as SetName, key, value: "" });
    for (const [key, value] of elements ?? []) {
      const there = found.get(key);
      if (there === undefined) damage.push({ text: `${key} is gone from ${name}${note(key)}`, isStructure: false });
      else if (there !== value) {
        damage.push({ text: `${key} of ${name} is ${there} and not ${value}${note(key)}`, isStructure: false });
      }
    }
    for (const key of found.keys()) {
      if (elements?.has(key) !== true) damage.push({ text: `${key} was added to ${name}`, isStructure: false });
    }
  }
  return damage;
}
