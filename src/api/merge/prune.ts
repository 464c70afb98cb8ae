import { isObject } from "../meta/patch/merge.ts";
import { fieldElement } from "./element.ts";
import { elementsOf } from "./elements.ts";
import { emptySet, type FieldSet } from "./field-set.ts";
import type { FieldShape, Shape } from "./shape.ts";

/**
 * A merged object without what its applier used to apply and nobody holds any more. An element of a list or a map goes
 * with all that is in it; a field that is only on the way stays as long as anything below it is held.
 *
 * `last` is what the applier held before, `held` what anybody holds now.
 */
export function pruneFields(shape: Shape, value: unknown, last: FieldSet, held: FieldSet): unknown {
  if (last.children.size === 0) return value;
  if (shape.form === "struct" || shape.form === "map") {
    if (!isObject(value)) return value;
    const kept = new Map<string, unknown>();
    for (const [name, child] of Object.entries(value)) {
      const place = shape.form === "map" ? { shape: shape.item, isItem: true } : fieldPlace(shape.fields.get(name));
      const element = fieldElement(name);
      const left =
        place === undefined ? child : pruneOne(place, child, last.children.get(element), held.children.get(element));
      if (left !== undefined) kept.set(name, left);
    }
    return Object.fromEntries(kept);
  }
  if (shape.form === "leaf" || !Array.isArray(value)) return value;
  const place = { shape: shape.form === "keyed" ? shape.item : ({ form: "leaf" } as const), isItem: true };
  return [...elementsOf(shape, value)].flatMap(([element, items]) =>
    items
      .map((item) => pruneOne(place, item, last.children.get(element), held.children.get(element)))
      .filter((item) => item !== undefined),
  );
}

interface Place {
  readonly shape: Shape;
  /** An element of a list or a map, which is held on its own account. */
  readonly isItem: boolean;
  /** Goes only by what is in it. */
  readonly isAlways?: boolean;
}

function fieldPlace(field: FieldShape | undefined): Place | undefined {
  return field && { shape: field.shape, isItem: false, isAlways: field.isAlways };
}

function pruneOne(
  { shape, isItem, isAlways = false }: Place,
  value: unknown,
  last: FieldSet | undefined,
  held: FieldSet | undefined,
): unknown {
  if (last === undefined) return value;
  const wasHeld = isItem ? last.isMember : !isAlways;
  const isHeld = isItem ? held?.isMember === true : held !== undefined;
  if (wasHeld && !isHeld) return undefined;
  const left = pruneFields(shape, value, last, held ?? emptySet);
  // What pruning emptied is gone, unless somebody holds it as it is.
  const isEmptied = sizeOf(left) === 0 && sizeOf(value) !== 0;
  return isEmptied && held?.isMember !== true ? undefined : left;
}

function sizeOf(value: unknown): number | undefined {
  if (Array.isArray(value)) return value.length;
  return isObject(value) ? Object.keys(value).length : undefined;
}
