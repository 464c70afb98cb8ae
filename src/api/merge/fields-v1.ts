import { readElement } from "./element.ts";
import { emptySet, isEmptySet, setOf, type FieldSet } from "./field-set.ts";

/**
 * Field sets as the JSON text of `fieldsV1`: `{"f:spec":{"f:ports":{".":{},…}}}`. Most objects of a kind share their
 * sets with many others, so texts are kept once, together with the set they stand for.
 */
const known = new Map<string, { readonly text: string; set: FieldSet | undefined }>();
const texts = new WeakMap<FieldSet, string>();

/** More than the shapes of objects in any cluster; beyond it all are forgotten, and come back as they are used. */
const limit = 4096;

function keep(text: string, set: FieldSet | undefined) {
  let entry = known.get(text);
  if (entry === undefined) {
    if (known.size >= limit) known.clear();
    entry = { text, set };
    known.set(text, entry);
  }
  entry.set ??= set;
  return entry;
}

/** The text of a set; equal sets have the same. */
export function renderFields(set: FieldSet): string {
  const rendered = texts.get(set);
  if (rendered !== undefined) return rendered;
  const { text } = keep(render(set), set);
  texts.set(set, text);
  return text;
}

function render({ isMember, children }: FieldSet): string {
  if (children.size === 0) return "{}";
  const parts = [...children.keys()].sort().map((element) => {
    return `${JSON.stringify(element)}:${render(children.get(element) as FieldSet)}`;
  });
  return isMember ? `{".":{},${parts.join(",")}}` : `{${parts.join(",")}}`;
}

/** The set of a text that `renderFields` made. */
export function parseFields(text: string): FieldSet {
  const entry = keep(text, undefined);
  entry.set ??= readFields(JSON.parse(text)) ?? emptySet;
  texts.set(entry.set, entry.text);
  return entry.set;
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
