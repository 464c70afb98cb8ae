import type { KubeObject } from "../meta/object.ts";
import { compareFields, takenOf, type Changes } from "./compare.ts";
import { difference, emptySet, isEmptySet, union } from "./field-set.ts";
import type { FormOf } from "./form.ts";
import {
  capManagers,
  createManager,
  fieldsHeldBy,
  isSameManager,
  sortManagers,
  withFields,
  type Manager,
  type ManagerIdentity,
  type Managers,
} from "./managers.ts";

/** A write that is no apply, as far as the holding of fields goes. */
export interface UpdateWrite {
  readonly formOf: FormOf;
  /** In the stored form; absent for a new object. */
  readonly before?: KubeObject;
  readonly after: KubeObject;
  readonly writer: ManagerIdentity;
  /** Now, as `metadata.managedFields` tells it. */
  readonly time: string;
}

/**
 * Who holds what after an update: the writer takes each field it changed, from whoever held it; what is gone nobody
 * holds. The same list when nothing changed hands or value.
 */
export function trackUpdate(managers: Managers, { formOf, before, after, writer, time }: UpdateWrite): Managers {
  const changesIn = changesByVersion(formOf, before, after);
  const own = changesIn(writer.apiVersion);
  const taken = own === undefined ? emptySet : takenOf(own);
  const kept: Manager[] = [];
  let hasEntry = false;
  let isSame = true;
  for (const manager of managers) {
    if (!isEmptySet(taken) && isSameManager(manager, writer)) {
      // What the writer changed again it goes on holding; what it removed is gone.
      const held = difference(fieldsHeldBy(manager), own?.removed ?? emptySet);
      kept.push(createManager(writer, union(held, taken), time));
      hasEntry = true;
      isSame = false;
      continue;
    }
    const left = withoutChanges(manager, changesIn(manager.apiVersion));
    if (left !== manager) isSame = false;
    if (left !== undefined) kept.push(left);
  }
  if (!hasEntry && !isEmptySet(taken)) {
    kept.push(createManager(writer, taken, time));
    isSame = false;
  }
  return isSame ? managers : sortManagers(capManagers(kept));
}

/** `undefined` when nothing is left, or when the version is gone and its fields mean nothing any more. */
export function withoutChanges(manager: Manager, changes: Changes | undefined): Manager | undefined {
  if (changes === undefined) return undefined;
  const changed = union(takenOf(changes), changes.removed);
  if (isEmptySet(changed)) return manager;
  const held = fieldsHeldBy(manager);
  const left = difference(held, changed);
  return left === held ? manager : withFields(manager, left);
}

/** The changes in the words of each version asked for, computed once. */
export function changesByVersion(
  formOf: FormOf,
  before: KubeObject | undefined,
  after: KubeObject,
): (apiVersion: string) => Changes | undefined {
  const known = new Map<string, Changes | undefined>();
  return (apiVersion) => {
    if (known.has(apiVersion)) return known.get(apiVersion);
    const form = formOf(apiVersion);
    const changes =
      form &&
      compareFields(form.shape, before === undefined ? undefined : form.fromStored(before), form.fromStored(after));
    known.set(apiVersion, changes);
    return changes;
  };
}
