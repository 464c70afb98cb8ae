/**
 * The value without its nulls: in the API a field that is null is one that is absent, and an entry that is null is none.
 * Gives back the same value when there is nothing to take out, which is nearly always.
 */
export function dropNulls<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const entries = value as unknown[];
    const kept = entries.filter((entry) => entry !== null).map(dropNulls);
    return isSame(entries, kept) ? value : (kept as T);
  }
  const fields = Object.entries(value);
  const kept = fields.filter(([, field]) => field !== null).map(([name, field]) => [name, dropNulls(field)] as const);
  const before = fields.map(([, field]) => field as unknown);
  const after = kept.map(([, field]) => field as unknown);
  return isSame(before, after) ? value : (Object.fromEntries(kept) as T);
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((entry, index) => entry === b[index]);
}
