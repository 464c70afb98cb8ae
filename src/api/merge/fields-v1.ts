import { readElement } from "./element.ts";
import { isEmptySet, setOf, type FieldSet } from "./field-set.ts";

/** The JSON text of a set as `fieldsV1`: `{"f:spec":{"f:ports":{".":{},…}}}`. Equal sets have one text. */
export function renderFields({ isMember, children }: FieldSet): string {
  if (children.size === 0) return "{}";
  const parts = [...children.keys()].sort().map((element) => {
    return `${JSON.stringify(element)}:${renderFields(children.get(element) as FieldSet)}`;
  });
  return isMember ? `{".":{},${parts.join(",")}}` : `{${parts.join(",")}}`;
}

/** The set a client wrote as `fieldsV1`; `undefined` for what is none. */
export function readFields(value: unknown): FieldSet | undefined {
  const set = readNode(value, true);
  return set === undefined || isEmptySet(set) ? set : setOf(false, new Map(set.children));
}

function readNode(value: unknown, isRoot: boolean): FieldSet | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const children = new Map<string, FieldSet>();
  let isMember = false;
  for (const [name, child] of Object.entries(value)) {
    if (name === ".") {
      isMember = true;
      continue;
    }
    const element = readElement(name);
    const set = readNode(child, false);
    if (element === undefined || set === undefined) return undefined;
    children.set(element, set);
  }
  // Without children a field stands for itself.
  return setOf(isMember || (!isRoot && children.size === 0), children);
}
