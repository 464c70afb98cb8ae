import type { KindDefinition } from "#api/kind.ts";
import { keyText } from "#api/meta/object.ts";
import type { Cache } from "./cache.ts";
import type { Item } from "./item.ts";
import { compileSelector, type Selection } from "./select.ts";

export interface ListQuery extends Selection {
  /** At most this many items; no limit when absent or not positive. */
  readonly limit?: number;
  /** Only items after this key. */
  readonly after?: string;
  /** As it was at this revision; now, when absent. */
  readonly at?: number;
}

export interface ListResult {
  readonly items: readonly Item[];
  /** The revision the list shows. */
  readonly revision: number;
  /** The last key of this page, when more items follow. */
  readonly continueAfter?: string;
  /** How many follow; known only without selectors. */
  readonly remaining?: number;
}

export function listItems(definition: KindDefinition, cache: Cache, revision: number, query: ListQuery): ListResult {
  const { namespace, name, everything, matches } = compileSelector(definition, query);
  const { after, at, limit = 0 } = query;
  const shown = at ?? revision;
  if (name !== undefined && at === undefined && (namespace !== undefined || !definition.resource.namespaced)) {
    const item = cache.get(keyText({ ...(namespace === undefined ? {} : { namespace }), name }));
    return { items: item !== undefined && matches(item.object) ? [item] : [], revision: shown };
  }
  let items = cache.items(namespace, at);
  if (after !== undefined) items = items.slice(firstAfter(items, after));
  if (everything && limit <= 0) return { items, revision: shown };
  const page: Item[] = [];
  for (const [index, item] of items.entries()) {
    if (!everything && !matches(item.object)) continue;
    if (limit > 0 && page.length === limit) {
      const continueAfter = page.at(-1)?.key ?? "";
      return {
        items: page,
        revision: shown,
        continueAfter,
        ...(everything ? { remaining: items.length - index } : {}),
      };
    }
    page.push(item);
  }
  return { items: page, revision: shown };
}

function firstAfter(items: readonly Item[], key: string): number {
  const index = items.findIndex((item) => item.key > key);
  return index === -1 ? items.length : index;
}
