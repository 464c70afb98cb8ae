import type { Clock } from "#base/clock.ts";
import { runOn } from "../../command.ts";
import type { ProxyNode } from "../../mode.ts";
import { createKnownWords, type Damage } from "../damage.ts";
import { countOwn, ownCount, readGeneration } from "../generation.ts";
import type { ElementLedger } from "../ledger.ts";
import { createPace } from "../pace.ts";
import type { SetName } from "./element.ts";
import { compareTable, parseTable, structureOf } from "./inspect.ts";
import { tableName, words } from "./names.ts";

/** Looks whether others changed the table. */
export interface Inspection {
  /** Everything stands as it was made just now. */
  begin(): Promise<void>;
  /** A transaction of ours changed something. */
  changed(): void;
  /** What others changed, nothing when nobody did; `undefined` when it is not yet time to read everything back. */
  look(): Promise<readonly Damage[] | undefined>;
}

export interface InspectionOptions {
  readonly node: ProxyNode;
  readonly clock: Clock;
  readonly ledger: ElementLedger<SetName>;
  /** The commands that make the chains and maps there are now. */
  readonly commands: () => readonly string[];
}

/** Reading all of it back takes at most one part in so many of the time. */
const inspectionShare = 100;

export function createInspection({ node, clock, ledger, commands }: InspectionOptions): Inspection {
  const { ip } = words[node.family ?? 4];
  const pace = createPace(clock, inspectionShare);
  const printed = createKnownWords();
  /** The kernel's count of changes when all was looked at, and ours at that moment. */
  let looked: { readonly generation: number; readonly own: number } | undefined;
  /** Something was found changed and made again: what still looks changed then is only printed so. */
  let isSuspected = false;

  async function inspect(): Promise<Damage[]> {
    const { code, stdout } = await runOn(node, ["nft", "list", "table", ip, tableName]);
    if (code !== 0) return [{ text: `table ${ip} ${tableName} is gone`, isStructure: true }];
    const elements = new Map<string, Map<string, string>>();
    for (const { set, key, value } of ledger.takeAll()) {
      const inSet = elements.get(set) ?? new Map<string, string>();
      if (inSet.size === 0) elements.set(set, inSet);
      inSet.set(key, value);
    }
    return compareTable(parseTable(stdout), { ...structureOf(commands()), ledger, elements });
  }

  return {
    async begin() {
      const own = ownCount(node);
      const generation = await readGeneration(node);
      looked = generation === undefined ? undefined : { generation, own };
    },
    changed: () => countOwn(node),
    async look() {
      const own = ownCount(node);
      const generation = await readGeneration(node);
      const expected = looked === undefined ? undefined : (looked.generation + own - looked.own) % 2 ** 32;
      const isUntouched = generation !== undefined && generation === expected;
      if (isUntouched && !isSuspected) return [];
      const damage = isUntouched ? await inspect() : await pace.run(inspect);
      if (damage === undefined) return undefined;
      if (isUntouched) printed.learn(damage);
      isSuspected = !isUntouched && damage.length > 0;
      if (generation !== undefined) looked = { generation, own };
      return printed.without(damage);
    },
  };
}
