import type { PodTemplateSpec } from "#api/core/pod/kind.ts";

export const hashLabel = "pod-template-hash";

/** No vowels and no digits that look like them, so that no name reads as a word (apimachinery `rand.SafeEncodeString`). */
const alphabet = "bcdfghjklmnpqrstvwxz2456789";

/**
 * A short name for a pod template: equal templates give equal texts, whatever the order of their fields. FNV-1a of 32
 * bits, its decimal digits written in the safe alphabet. `collisionCount` makes another name for the same template.
 */
export function templateHash(template: PodTemplateSpec, collisionCount = 0): string {
  const bytes = Buffer.from(`${canonicalText(template)}${collisionCount === 0 ? "" : collisionCount}`);
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return String(hash).replaceAll(/\d/g, (digit) => alphabet.charAt(digit.charCodeAt(0) % alphabet.length));
}

function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonicalText(field)}`).join()}}`;
}

/** Whether two templates differ in nothing but the hash label. */
export function sameTemplate(a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean {
  return a !== undefined && b !== undefined && canonicalText(withoutHash(a)) === canonicalText(withoutHash(b));
}

function withoutHash(template: PodTemplateSpec): unknown {
  const { [hashLabel]: _, ...labels } = template.metadata?.labels ?? {};
  const { creationTimestamp: __, ...metadata } = template.metadata ?? {};
  return { ...template, metadata: { ...metadata, labels } };
}
