import { isDeepStrictEqual } from "node:util";
import { newerRevision } from "./compile.ts";
import type { ServiceDiff, ServicePortEntry, ServiceTable } from "./table.ts";

type Changed = ServiceDiff["changed"][number];

/** Whether two entries have the same effect; `because` has none. */
export function sameEffect(a: ServicePortEntry, b: ServicePortEntry): boolean {
  if (a === b) return true;
  const { because: _a, ...effectA } = a;
  const { because: _b, ...effectB } = b;
  return isDeepStrictEqual(effectA, effectB);
}

/** What has to change to make `after` true where `before` is in force; everything is added when there was nothing. */
export function diffServices(before: ServiceTable | undefined, after: ServiceTable): ServiceDiff {
  const added: ServicePortEntry[] = [];
  const changed: Changed[] = [];
  for (const [id, entry] of after.ports) {
    const old = before?.ports.get(id);
    if (old === undefined) added.push(entry);
    else if (!sameEffect(old, entry)) changed.push({ before: old, after: entry });
  }
  const removed = [...(before?.ports.values() ?? [])].filter((entry) => !after.ports.has(entry.id));
  return { added, changed, removed, revision: after.revision };
}

/** The one difference that does what `a` and then `b` would do. */
export function mergeDiffs(a: ServiceDiff, b: ServiceDiff): ServiceDiff {
  const steps = new Map<string, { before?: ServicePortEntry; after?: ServicePortEntry }>();
  const step = (id: string, before: ServicePortEntry | undefined, after: ServicePortEntry | undefined) => {
    const earlier = steps.get(id);
    steps.set(id, { before: earlier === undefined ? before : earlier.before, after });
  };
  for (const diff of [a, b]) {
    for (const entry of diff.removed) step(entry.id, entry, undefined);
    for (const { before, after } of diff.changed) step(after.id, before, after);
    for (const entry of diff.added) step(entry.id, undefined, entry);
  }
  const added: ServicePortEntry[] = [];
  const changed: Changed[] = [];
  const removed: ServicePortEntry[] = [];
  for (const { before, after } of steps.values()) {
    if (before === undefined) {
      if (after !== undefined) added.push(after);
    } else if (after === undefined) removed.push(before);
    else if (!sameEffect(before, after)) changed.push({ before, after });
  }
  return { added, changed, removed, revision: newerRevision(a.revision, b.revision) };
}

/** What of the difference is of one service port, and the rest. */
export function splitDiff(diff: ServiceDiff, id: string): { readonly one: ServiceDiff; readonly rest: ServiceDiff } {
  const { revision } = diff;
  const pick = (isOf: (entry: ServicePortEntry) => boolean): ServiceDiff => ({
    added: diff.added.filter(isOf),
    changed: diff.changed.filter(({ after }) => isOf(after)),
    removed: diff.removed.filter(isOf),
    revision,
  });
  return { one: pick((entry) => entry.id === id), rest: pick((entry) => entry.id !== id) };
}

/** Whether the difference is about this service port. */
export function concerns({ added, changed, removed }: ServiceDiff, id: string): boolean {
  const isIt = (entry: ServicePortEntry) => entry.id === id;
  return added.some(isIt) || removed.some(isIt) || changed.some(({ after }) => isIt(after));
}

/** Whether the difference changes nothing but the revision. */
export function isEmptyDiff({ added, changed, removed }: ServiceDiff): boolean {
  return added.length === 0 && changed.length === 0 && removed.length === 0;
}
