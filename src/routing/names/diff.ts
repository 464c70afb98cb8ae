import type { NameEntry } from "./table.ts";

/** Whether two entries answer alike, whatever their reasons. */
export function sameRecords(a: NameEntry | undefined, b: NameEntry | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.cname === b.cname &&
    sameTexts(a.a, b.a) &&
    sameTexts(a.aaaa, b.aaaa) &&
    sameTexts(a.ptr, b.ptr) &&
    sameTexts(a.txt, b.txt) &&
    sameLists(
      a.srv,
      b.srv,
      (x, y) => x.target === y.target && x.port === y.port && x.priority === y.priority && x.weight === y.weight,
    )
  );
}

function sameTexts(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return sameLists(a, b, (x, y) => x === y);
}

function sameLists<T>(
  a: readonly T[] | undefined,
  b: readonly T[] | undefined,
  same: (x: T, y: T) => boolean,
): boolean {
  if (a === b) return true;
  return a !== undefined && b !== undefined && a.length === b.length && a.every((x, index) => same(x, b[index] as T));
}
