import { sameValue } from "#base/value.ts";
import { isObject } from "../meta/patch/merge.ts";
import { fieldElement } from "./element.ts";
import { elementsOf } from "./elements.ts";
import { FieldSetBuilder, union, type FieldSet } from "./field-set.ts";
import type { FieldShape, Shape, StructShape } from "./shape.ts";

/** How one object differs from another, field by field. A list or object that comes or goes counts itself. */
export interface Changes {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** What is there afterwards and was not, or was otherwise. */
export function takenOf({ added, modified }: Changes): FieldSet {
  return union(added, modified);
}

/** The changes from `before` to `after`; neither is kept. */
export function compareFields(shape: StructShape, before: unknown, after: unknown): Changes {
  const comparison = new Comparison();
  comparison.fields(shape, before ?? {}, after);
  return comparison.changes();
}

type Parent = Record<string, unknown> | undefined;

class Comparison {
  private readonly added = new FieldSetBuilder();
  private readonly modified = new FieldSetBuilder();
  private readonly removed = new FieldSetBuilder();
  private readonly path: string[] = [];

  changes(): Changes {
    return { added: this.added.build(), modified: this.modified.build(), removed: this.removed.build() };
  }

  fields({ fields }: StructShape, before: unknown, after: unknown): void {
    const old = isObject(before) ? before : undefined;
    const next = isObject(after) ? after : undefined;
    for (const name of Object.keys(next ?? {})) this.field(name, fields.get(name), old, next);
    for (const name of Object.keys(old ?? {})) {
      if (next === undefined || !Object.hasOwn(next, name)) this.field(name, fields.get(name), old, next);
    }
  }

  private field(name: string, field: FieldShape | undefined, old: Parent, next: Parent): void {
    if (field === undefined) return;
    const { element, shape, isAlways, omitsZero } = field;
    const before = old?.[name] ?? (isAlways && old !== undefined ? emptyOf(shape) : undefined);
    const after = next?.[name] ?? (isAlways && next !== undefined ? emptyOf(shape) : undefined);
    // An applied zero says what is true already.
    if (omitsZero && before === undefined && (after === 0 || after === false)) return;
    this.step(element, shape, before, after);
  }

  private step(element: string, shape: Shape, before: unknown, after: unknown): void {
    // Most fields are as they were.
    if (before === after) return;
    this.path.push(element);
    this.value(shape, before, after);
    this.path.pop();
  }

  private value(shape: Shape, before: unknown, after: unknown): void {
    if (shape.form === "leaf") {
      if (before !== undefined && after !== undefined) {
        if (!sameValue(before, after)) this.modified.add(this.path);
        return;
      }
    } else if (shape.form === "struct") this.fields(shape, before, after);
    else if (shape.form === "map") this.items(shape.item, before, after);
    else this.elements(shape, before, after);
    if (before === undefined) this.added.add(this.path);
    else if (after === undefined) this.removed.add(this.path);
  }

  private items(item: Shape, before: unknown, after: unknown): void {
    const old = isObject(before) ? before : {};
    const next = isObject(after) ? after : {};
    for (const name of Object.keys(next)) {
      this.step(fieldElement(name), item, Object.hasOwn(old, name) ? old[name] : undefined, next[name]);
    }
    for (const name of Object.keys(old)) {
      if (!Object.hasOwn(next, name)) this.step(fieldElement(name), item, old[name], undefined);
    }
  }

  private elements(shape: Extract<Shape, { form: "keyed" | "set" }>, before: unknown, after: unknown): void {
    const old = elementsOf(shape, before);
    const next = elementsOf(shape, after);
    const element = (name: string, was: readonly unknown[], is: readonly unknown[]) => {
      // What is there twice is compared whole: its fields could not be told apart.
      const isPlain = shape.form === "keyed" && was.length <= 1 && is.length <= 1;
      if (isPlain) this.step(name, shape.item, was[0], is[0]);
      else this.step(name, { form: "leaf" }, wholeOf(was), wholeOf(is));
    };
    for (const [name, items] of next) element(name, old.get(name) ?? [], items);
    for (const [name, items] of old) if (!next.has(name)) element(name, items, []);
  }
}

function wholeOf(items: readonly unknown[]): unknown {
  return items.length === 0 ? undefined : items;
}

function emptyOf({ form }: Shape): unknown {
  if (form === "leaf") return undefined;
  return form === "struct" || form === "map" ? {} : [];
}
