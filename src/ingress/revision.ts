/** Whether revision `a` has reached revision `b`: both are decimal counters of one store. */
export function hasReached(a: string, b: string): boolean {
  return a.length === b.length ? a >= b : a.length > b.length;
}

/** The newest of these revisions, `"0"` for none. */
export function newest(revisions: Iterable<string>): string {
  let found = "0";
  for (const revision of revisions) if (hasReached(revision, found)) found = revision;
  return found;
}
