import { isObject } from "./merge.ts";

/**
 * A merged list in the order the patch wishes for (`$setElementOrder`): elements it names stand as named; each other
 * keeps its place before the first named element that followed it in the original. Without a wish, the list as it is.
 */
export function orderLike(
  merged: readonly unknown[],
  original: readonly unknown[],
  order: readonly unknown[] | undefined,
  mergeKey: string | undefined,
): unknown[] {
  if (order === undefined) return [...merged];
  const identity = (item: unknown) => (mergeKey !== undefined && isObject(item) ? item[mergeKey] : item);
  const wished = order.map(identity);
  const before = original.map(identity);
  const known = merged
    .filter((item) => wished.includes(identity(item)))
    .sort((a, b) => wished.indexOf(identity(a)) - wished.indexOf(identity(b)));
  const others = merged.filter((item) => !wished.includes(identity(item)));
  let from = 0;
  for (const item of others) {
    const place = before.indexOf(identity(item));
    const at = known.findIndex((other, index) => index >= from && before.indexOf(identity(other)) > place);
    const target = at === -1 ? known.length : at;
    known.splice(target, 0, item);
    from = target + 1;
  }
  return known;
}
