import type { Managers } from "#api/merge/managers.ts";
import type { KubeObject } from "#api/meta/object.ts";

/** One stored object at one revision, with what has been rendered from it so far. Shared; never changed in place. */
export interface Item {
  /** `namespace/name`, or `name`. */
  readonly key: string;
  /** In the stored form, `metadata.resourceVersion` included, `metadata.managedFields` left out. */
  readonly object: KubeObject;
  /** Who holds which field: `metadata.managedFields`, kept apart since only clients of the HTTP face ask for it. */
  readonly managers: Managers;
  readonly revision: number;
  /** Rendered forms by name (a served version's bytes, …); filled by the faces that render. */
  readonly rendered: Map<string, unknown>;
}

export function createItem(key: string, object: KubeObject, revision: number, managers: Managers): Item {
  const metadata = { ...object.metadata, resourceVersion: String(revision) };
  return { key, object: { ...object, metadata }, revision, managers, rendered: new Map() };
}

/** What `render` makes of the item, made once. */
export function renderedOnce<T>(item: Item, form: string, render: (object: KubeObject) => T): T {
  const found = item.rendered.get(form);
  if (found !== undefined) return found as T;
  const made = render(item.object);
  item.rendered.set(form, made);
  return made;
}

/** One change of one object. */
export interface Change {
  readonly key: string;
  readonly revision: number;
  readonly before?: Item;
  readonly after?: Item;
  /** When it was made, in milliseconds of the monotonic clock. */
  readonly at: number;
  /** The object as a DELETED event shows it: its last content under the change's revision; made when first needed. */
  gone?: Item;
}

export type EventType = "ADDED" | "MODIFIED" | "DELETED";

/**
 * The change as a watcher sees it whose selectors are `matches`: an object that stops matching is DELETED for it, one
 * that starts is ADDED.
 */
export function eventOf(
  change: Change,
  matches: (object: KubeObject) => boolean,
): { type: EventType; item: Item } | undefined {
  const { before, after } = change;
  const was = before !== undefined && matches(before.object);
  if (after !== undefined && matches(after.object)) return { type: was ? "MODIFIED" : "ADDED", item: after };
  if (!was) return undefined;
  change.gone ??= createItem(change.key, before.object, change.revision, before.managers);
  return { type: "DELETED", item: change.gone };
}
