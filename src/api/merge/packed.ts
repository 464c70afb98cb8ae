import { kindByGvk } from "../kinds.ts";
import { fieldElement } from "./element.ts";
import { emptySet, isEmptySet, setOf, type FieldSet } from "./field-set.ts";
import { parseFields, renderFields } from "./fields-v1.ts";
import type { Manager, Managers } from "./managers.ts";
import { wholeShapeOf, type Shape } from "./shape.ts";

/**
 * Managers as the store keeps them: an eighth of `managedFields`, since what a row weighs is what a write costs. A field
 * of a message is its number on the wire, which never changes its meaning; any other element is its text. A branch is a
 * list that begins with its element, then 0 when that is itself a member.
 */
type Packed = number | string | readonly Packed[];

type PackedManager = readonly [
  manager: string,
  operation: Manager["operation"],
  apiVersion: string,
  time: string,
  subresource: string,
  fields: readonly Packed[],
];

/** What is packed and unpacked again and again: sets that many objects share. */
const packed = new Map<string, string>();
const unpacked = new Map<string, string>();
const limit = 4096;

function keep(cache: Map<string, string>, key: string, make: () => string): string {
  let text = cache.get(key);
  if (text === undefined) {
    if (cache.size >= limit) cache.clear();
    text = make();
    cache.set(key, text);
  }
  return text;
}

/** The JSON text of an object's managers, for the store. */
export function packManagers(managers: Managers, kind: string): string {
  const entries = managers.map(({ manager, operation, apiVersion, time = "", subresource = "", fields }) => {
    const head = JSON.stringify([manager, operation, apiVersion, time, subresource]);
    const pack = () => JSON.stringify(packChildren(parseFields(fields), shapeFor(kind, apiVersion)));
    return `${head.slice(0, -1)},${keep(packed, `${kind} ${apiVersion} ${fields}`, pack)}]`;
  });
  return `[${entries.join(",")}]`;
}

/** What `packManagers` wrote, as it is read from JSON. */
export function unpackManagers(entries: unknown, kind: string): Managers {
  return (entries as readonly PackedManager[]).map(
    ([manager, operation, apiVersion, time, subresource, fields]): Manager => {
      const key = `${kind} ${apiVersion} ${JSON.stringify(fields)}`;
      const unpack = () => renderFields(unpackBranch(fields, shapeFor(kind, apiVersion)));
      return {
        manager,
        operation,
        apiVersion,
        ...(time === "" ? {} : { time }),
        ...(subresource === "" ? {} : { subresource }),
        fields: keep(unpacked, key, unpack),
      };
    },
  );
}

function shapeFor(kind: string, apiVersion: string): Shape | undefined {
  const served = kindByGvk(apiVersion, kind);
  return served && wholeShapeOf(served.version.schema);
}

function packChildren({ isMember, children }: FieldSet, shape: Shape | undefined): Packed[] {
  const list: Packed[] = isMember ? [0] : [];
  for (const [element, child] of children) {
    const field = shape?.form === "struct" ? shape.fields.get(element.slice(2)) : undefined;
    const isField = field !== undefined && element.startsWith("f:");
    const name = isField ? field.code : element;
    const below = isField ? field.shape : itemOf(shape);
    list.push(child.children.size === 0 ? name : [name, ...packChildren(child, below)]);
  }
  return list;
}

function unpackBranch(list: readonly Packed[], shape: Shape | undefined): FieldSet {
  const children = new Map<string, FieldSet>();
  const isMember = list[0] === 0;
  for (const item of isMember ? list.slice(1) : list) {
    const [name, ...rest] = Array.isArray(item) ? (item as readonly Packed[]) : [item];
    const isField = typeof name === "number";
    const field = isField ? fieldByCode(shape, name) : undefined;
    // A field that this version of the program does not know has no holder it could tell of.
    if (isField && field === undefined) continue;
    const element = field === undefined ? String(name) : fieldElement(field.name);
    const child = rest.length === 0 ? setOf(true, new Map()) : unpackBranch(rest, field?.shape ?? itemOf(shape));
    if (!isEmptySet(child)) children.set(element, child);
  }
  return children.size === 0 && !isMember ? emptySet : setOf(isMember, children);
}

function fieldByCode(shape: Shape | undefined, code: number): { name: string; shape: Shape } | undefined {
  if (shape?.form !== "struct") return undefined;
  for (const [name, field] of shape.fields) if (field.code === code) return { name, shape: field.shape };
  return undefined;
}

function itemOf(shape: Shape | undefined): Shape | undefined {
  return shape?.form === "map" || shape?.form === "keyed" ? shape.item : undefined;
}
