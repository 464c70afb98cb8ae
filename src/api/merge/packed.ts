import { fieldElement, keyElement } from "./element.ts";
import { emptySet, isEmptySet, setOf, type FieldSet } from "./field-set.ts";
import { renderFields } from "./fields-v1.ts";
import { wholeShapeOf, type Shape } from "./shape.ts";

/**
 * Sets of fields as they are kept, in memory and in the store: a fifth of `fieldsV1`, since what a row weighs is what a
 * write costs. A field of a message is its number on the wire, which never changes its meaning; an element of a list is
 * its keys' values; any other element is its text. A branch is a list that begins with its element, then 0 when that is
 * itself a member. Most objects of a kind share their sets with many others: texts in use are kept once.
 *
 * `schema` is the message whose numbers they are; without one nothing is numbered.
 */
type Packed = number | string | readonly Packed[];

/** The JSON text of a packed set. Equal sets of one schema have one text. */
export function packFields(set: FieldSet, schema: string): string {
  const known = packedSets.get(set);
  if (known !== undefined) return known;
  const text = shareText(`[${packBranch(set, shapeFor(schema))}]`);
  packedSets.set(set, text);
  return text;
}

/** The set that was packed. */
export function unpackFields(text: string, schema: string): FieldSet {
  return keep(sets, schema, text, () => {
    const set = unpackBranch(JSON.parse(text) as readonly Packed[], shapeFor(schema));
    packedSets.set(set, text);
    return set;
  });
}

/** The text of `fieldsV1` of a packed set. */
export function fieldsText(text: string, schema: string): string {
  return keep(texts, schema, text, () => renderFields(unpackFields(text, schema)));
}

/** One string for all equal ones in use. */
export function shareText(text: string): string {
  const known = shared.get(text);
  if (known !== undefined) return known;
  if (shared.size >= mostShared) shared.clear();
  shared.set(text, text);
  return text;
}

/** Beyond these all are forgotten, and come back as they are used. */
const mostShared = 4096;
const mostKept = 256;

const shared = new Map<string, string>();
const packedSets = new WeakMap<FieldSet, string>();
const sets = new Map<string, Map<string, FieldSet>>();
const texts = new Map<string, Map<string, string>>();

/** By schema, then by text: the texts are shared, so that finding one does not read it. */
function keep<T>(caches: Map<string, Map<string, T>>, schema: string, text: string, make: () => T): T {
  let cache = caches.get(schema);
  if (cache === undefined) caches.set(schema, (cache = new Map<string, T>()));
  let found = cache.get(text);
  if (found === undefined) {
    if (cache.size >= mostKept) cache.clear();
    found = make();
    cache.set(text, found);
  }
  return found;
}

function shapeFor(schema: string): Shape | undefined {
  return schema === "" ? undefined : wholeShapeOf(schema);
}

function packBranch({ isMember, children }: FieldSet, shape: Shape | undefined): string {
  const parts = isMember ? ["0"] : [];
  for (const element of children.size === 1 ? children.keys() : [...children.keys()].sort()) {
    const child = children.get(element) as FieldSet;
    const field = shape?.form === "struct" ? shape.elements.get(element) : undefined;
    const name = field === undefined ? elementText(element, shape) : String(field.code);
    // The values of keys are a list, and only the head of a branch may be one.
    const isLeaf = child.children.size === 0;
    if (isLeaf) parts.push(name.startsWith("[") ? `[${name}]` : name);
    else parts.push(`[${name},${packBranch(child, field === undefined ? itemOf(shape) : field.shape)}]`);
  }
  return parts.join(",");
}

/** The texts of the keyed elements that come again and again: types of conditions, names of containers. */
const keyTexts = new WeakMap<Shape, Map<string, string>>();

function elementText(element: string, shape: Shape | undefined): string {
  if (shape?.form !== "keyed" || !element.startsWith("k:")) return JSON.stringify(element);
  let texts = keyTexts.get(shape);
  if (texts === undefined) keyTexts.set(shape, (texts = new Map<string, string>()));
  let text = texts.get(element);
  if (text === undefined) {
    if (texts.size >= mostKept) texts.clear();
    const keys = JSON.parse(element.slice(2)) as Record<string, unknown>;
    const values = shape.keys.map(({ name }) => keys[name]);
    // One that lacks a key, or has another, is written out.
    const isWhole = keyElement(shape.keys.map(({ name }, index) => [name, values[index]])) === element;
    text = JSON.stringify(isWhole ? values : element);
    texts.set(element, text);
  }
  return text;
}

function unpackBranch(list: readonly Packed[], shape: Shape | undefined): FieldSet {
  const children = new Map<string, FieldSet>();
  const isMember = list[0] === 0;
  for (const item of isMember ? list.slice(1) : list) {
    const [name = "", ...rest] = isList(item) ? item : [item];
    const found = unpackElement(name, shape);
    // A field that this version of the program does not know has no holder it could tell of.
    if (found === undefined) continue;
    const child = rest.length === 0 ? setOf(true, new Map()) : unpackBranch(rest, found.below);
    if (!isEmptySet(child)) children.set(found.element, child);
  }
  return children.size === 0 && !isMember ? emptySet : setOf(isMember, children);
}

function unpackElement(
  name: Packed,
  shape: Shape | undefined,
): { element: string; below: Shape | undefined } | undefined {
  if (typeof name === "number") {
    const field = fieldByCode(shape, name);
    return field && { element: fieldElement(field.name), below: field.shape };
  }
  if (!isList(name)) return { element: name, below: itemOf(shape) };
  if (shape?.form !== "keyed") return undefined;
  const keys = shape.keys.map((key, index) => [key.name, name[index]] as const);
  return { element: keyElement(keys), below: shape.item };
}

function isList(item: Packed): item is readonly Packed[] {
  return Array.isArray(item);
}

function fieldByCode(shape: Shape | undefined, code: number): { name: string; shape: Shape } | undefined {
  if (shape?.form !== "struct") return undefined;
  for (const [name, field] of shape.fields) if (field.code === code) return { name, shape: field.shape };
  return undefined;
}

function itemOf(shape: Shape | undefined): Shape | undefined {
  return shape?.form === "map" || shape?.form === "keyed" ? shape.item : undefined;
}
