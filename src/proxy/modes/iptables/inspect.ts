import { ownerNote, type Damage } from "../damage.ts";
import { diffElements, type ElementLedger } from "../ledger.ts";
import type { Element, Place } from "./rule.ts";

/** What of the found is not as it is wanted, each chain by its name and its Service's. Pure. */
export function compareRules(
  found: readonly Element[],
  wanted: readonly Element[],
  ledger: ElementLedger<Place>,
): Damage[] {
  const { deletes, adds } = diffElements(found, wanted);
  const changed = new Set(deletes.map(({ set, key }) => `${set} ${key}`));
  return [
    ...adds.map((element) =>
      damage(element, changed.has(`${element.set} ${element.key}`) ? "was changed" : "is gone", ledger),
    ),
    ...deletes
      .filter(({ set, key }) => !adds.some((other) => other.set === set && other.key === key))
      .map((element) => damage(element, "is not of the service proxy", ledger)),
  ];
}

/** One rule of a chain that many write into, or a whole chain. */
function damage(element: Element, what: string, ledger: ElementLedger<Place>): Damage {
  const { set, key } = element;
  const [table, place] = set.split(" ");
  const name = place === undefined || place === "shared" ? `chain ${key}` : `rule "${key}" of chain ${place}`;
  return { text: `${name} in table ${table} ${what}${ownerNote(ledger, element)}`, isStructure: true };
}
