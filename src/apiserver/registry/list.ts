import type { KindDefinition } from "#api/kind.ts";
import { keyText } from "#api/meta/object.ts";
import { firstIndex, type Cache } from "./cache.ts";
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
  if (after !== undefined) {
    const all = items;
    items = items.slice(firstIndex(items.length, (index) => (all[index] as Item).key > after));
  }
  if (everything) {
    if (limit <= 0 || items.length <= limit) return { items, revision: shown };
    const page = items.slice(0, limit);
    return { items: page, revision: shown, continueAfter: page.at(-1)?.key ?? "", remaining: items.length - limit };
  }
  const page: Item[] = [];
  for (const item of items) {
    if (!matches(item.object)) continue;
    if (limit > 0 && page.length === limit) {
      return { items: page, revision: shown, continueAfter: page.at(-1)?.key ?? "" };
    }
    page.push(item);
  }
  return { items: page, revision: shown };
}
