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
