import { isObject } from "../meta/patch/merge.ts";
import { keyElement, valueElement } from "./element.ts";
import type { Shape } from "./shape.ts";

type ListShape = Extract<Shape, { form: "keyed" | "set" }>;

/** The elements of a list by their place in a path, in the list's order. One that is there twice has both values. */
export function elementsOf(shape: ListShape, list: unknown): Map<string, unknown[]> {
  const found = new Map<string, unknown[]>();
  for (const item of Array.isArray(list) ? (list as readonly unknown[]) : []) {
    const element = elementOf(shape, item);
    const others = found.get(element);
    if (others === undefined) found.set(element, [item]);
    else others.push(item);
  }
  return found;
}

function elementOf(shape: ListShape, item: unknown): string {
  if (shape.form === "set") return valueElement(item);
  const values = isObject(item) ? item : {};
  const keys = shape.keys.map(({ name, otherwise }) => [name, values[name] ?? otherwise] as const);
  return keyElement(keys.filter(([, value]) => value !== undefined));
}

/** The first key of a list's elements that one of them lacks. */
export function missingKeyOf(shape: ListShape, list: unknown): string | undefined {
  if (shape.form === "set") return undefined;
  const items = Array.isArray(list) ? (list as readonly unknown[]) : [];
  const needed = shape.keys.filter(({ otherwise }) => otherwise === undefined);
  return needed.find(({ name }) => items.some((item) => !isObject(item) || item[name] === undefined))?.name;
}
