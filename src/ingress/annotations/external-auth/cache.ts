/** For how long replies of these statuses are used again. */
export type Valid = readonly { readonly statuses: readonly number[]; readonly ms: number }[];

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, "": 1000 };

/** Reads `200 202 401 5m, 403 1m`; a time alone is for 200, 301 and 302, as nginx's `proxy_cache_valid` has it. */
export function parseValid(text: string): Valid | undefined {
  const valid = text.split(",").map((part) => {
    const words = part.trim().split(/\s+/);
    const [, amount, unit = ""] = /^(\d{1,9})(ms|s|m|h|d)?$/.exec(words.at(-1) ?? "") ?? [];
    const codes = words.slice(0, -1);
    if (amount === undefined || !codes.every((code) => /^[1-5]\d\d$/.test(code))) return undefined;
    const statuses = codes.length === 0 ? [200, 301, 302] : codes.map(Number);
    return { statuses, ms: Number(amount) * (units[unit] ?? 0) };
  });
  return valid.every((entry) => entry !== undefined) ? valid : undefined;
}
