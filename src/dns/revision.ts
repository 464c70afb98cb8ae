/** Revisions are whole numbers in decimal: the longer, or else the later text, is the newer. */
export function newestOf(revisions: readonly string[]): string {
  return revisions.reduce((a, b) => (isNewer(b, a) ? b : a), "0");
}

/** `undefined` of none. */
export function oldestOf(revisions: readonly string[]): string | undefined {
  return revisions.reduce<string | undefined>((a, b) => (a === undefined || isNewer(a, b) ? b : a), undefined);
}

function isNewer(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}
