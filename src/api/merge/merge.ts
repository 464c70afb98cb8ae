import { isObject } from "../meta/patch/merge.ts";
import { elementsOf } from "./elements.ts";
import type { Shape } from "./shape.ts";

/**
 * A live object with a configuration laid over it: what the configuration names has its value, everything else stays.
 * Both inputs are left be; the result shares what did not change with them.
 */
export function mergeConfiguration(shape: Shape, live: unknown, configuration: unknown): unknown {
  if (configuration === undefined) return live;
  if (live === undefined || shape.form === "leaf") return configuration;
  if (shape.form === "struct" || shape.form === "map") {
    if (!isObject(live) || !isObject(configuration)) return configuration;
    const merged = new Map(Object.entries(live));
    for (const [name, value] of Object.entries(configuration)) {
      const child = shape.form === "map" ? shape.item : shape.fields.get(name)?.shape;
      if (child !== undefined) merged.set(name, mergeConfiguration(child, merged.get(name), value));
    }
    return Object.fromEntries(merged);
  }
  return mergeList(shape, live, configuration);
}

/**
 * The configuration's elements stand in its order; each element that only the live list has keeps its place before the
 * shared one that followed it.
 */
function mergeList(shape: Extract<Shape, { form: "keyed" | "set" }>, live: unknown, configuration: unknown): unknown[] {
  const old = elementsOf(shape, live);
  const wished = elementsOf(shape, configuration);
  const order = [...wished.keys()];
  const shared = order.filter((element) => old.has(element));
  const merged: unknown[] = [];
  let next = 0;
  const take = (element: string) => {
    const [value] = wished.get(element) ?? [];
    const was = old.get(element) ?? [];
    // Of an element that was there twice only the configuration's is left.
    const isPlain = shape.form === "keyed" && was.length === 1;
    merged.push(isPlain ? mergeConfiguration(shape.item, was[0], value) : value);
  };
  for (const [element, items] of old) {
    if (!wished.has(element)) merged.push(...items);
    else if (element === shared[0]) {
      shared.shift();
      for (const until = order.indexOf(element); next <= until; next += 1) take(order[next] as string);
    }
  }
  for (; next < order.length; next += 1) take(order[next] as string);
  return merged;
}
