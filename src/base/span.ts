/** A span of time as Go writes it (`30s`, `1m30s`, `500ms`, and a bare `30` for seconds), in milliseconds. */
export function parseSpan(text: string): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  if (!/^(\d{1,9}(\.\d{1,9})?(ms|s|m|h))+$/.test(text)) return undefined;
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  let sum = 0;
  for (const [, digits, unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    sum += Number(digits) * (units[unit] ?? 0);
  return Math.round(sum);
}
