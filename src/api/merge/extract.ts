import { isObject } from "../meta/patch/merge.ts";
import { fieldElement, pathText } from "./element.ts";
import { elementsOf, missingKeyOf } from "./elements.ts";
import { isEmptySet, setOf, type FieldSet } from "./field-set.ts";
import type { Shape, StructShape } from "./shape.ts";

/**
 * The fields an applied configuration speaks of: its leaves, the elements of its lists and maps, and objects that it
 * names empty (`emptyDir: {}`). Fields the shape does not have are passed over.
 */
export function fieldsOf(shape: StructShape, value: unknown): FieldSet {
  return setFor(shape, value, false);
}

function setFor(shape: Shape, value: unknown, isMember: boolean): FieldSet {
  const children = new Map<string, FieldSet>();
  if (shape.form === "struct" || shape.form === "map") {
    for (const [name, child] of isObject(value) ? Object.entries(value) : []) {
      const childShape = shape.form === "map" ? shape.item : shape.fields.get(name)?.shape;
      if (childShape === undefined || child === undefined) continue;
      const isItem = shape.form === "map" || childShape.form === "leaf" || isEmptyObject(child);
      const set = setFor(childShape, child, isItem);
      if (!isEmptySet(set)) children.set(fieldElement(name), set);
    }
  } else if (shape.form !== "leaf") {
    for (const [element, items] of elementsOf(shape, value)) {
      const item = shape.form === "keyed" && items.length === 1 ? shape.item : ({ form: "leaf" } as const);
      children.set(element, setFor(item, items[0], true));
    }
  }
  return setOf(isMember, children);
}

function isEmptyObject(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}

/** What stops a configuration from being applied: an element that is there twice, or lacks its key. */
export function problemsOf(shape: Shape, value: unknown, path: readonly string[] = []): string[] {
  switch (shape.form) {
    case "leaf":
      return [];
    case "struct":
    case "map":
      return Object.entries(isObject(value) ? value : {}).flatMap(([name, child]) => {
        const childShape = shape.form === "map" ? shape.item : shape.fields.get(name)?.shape;
        return childShape === undefined ? [] : problemsOf(childShape, child, [...path, fieldElement(name)]);
      });
    default: {
      const missing = missingKeyOf(shape, value);
      if (missing !== undefined) {
        const text = `associative list with keys has an element that omits key field ${JSON.stringify(missing)} (and doesn't have default value)`;
        return [`${pathText(path)}: element 0: ${text}`];
      }
      return [...elementsOf(shape, value)].flatMap(([element, items]) => {
        if (items.length > 1) return [`${pathText(path)}: duplicate entries for key ${pathText([element])}`];
        return shape.form === "keyed" ? problemsOf(shape.item, items[0], [...path, element]) : [];
      });
    }
  }
}
