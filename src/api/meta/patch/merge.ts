/** JSON merge patch (RFC 7386): objects merge, null removes, everything else replaces. */
export function applyMergePatch(original: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(original) ? Object.entries(original) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, applyMergePatch(merged.get(key), value));
  }
  // `Object.fromEntries` defines its keys, so `__proto__` is a key like any other.
  return Object.fromEntries(merged);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
