import type { KubeObject } from "../meta/object.ts";
import { takenOf } from "./compare.ts";
import { conflictsWith, type FieldConflict } from "./conflict.ts";
import { fieldsOf } from "./extract.ts";
import { difference, intersection, isEmptySet, sameSet, union, type FieldSet } from "./field-set.ts";
import type { Form, FormOf } from "./form.ts";
import { lastAppliedFields, syncLastApplied } from "./last-applied.ts";
import {
  createManager,
  fieldsHeldBy,
  isSameManager,
  sortManagers,
  type Manager,
  type ManagerIdentity,
  type Managers,
} from "./managers.ts";
import { mergeConfiguration } from "./merge.ts";
import { pruneFields } from "./prune.ts";
import { changesByVersion, trackUpdate, withoutChanges } from "./update.ts";

/** One server-side apply. */
export interface ApplyWrite {
  readonly formOf: FormOf;
  /** In the stored form. */
  readonly live: KubeObject;
  /** In the form of the applier's version; clean of nulls and of fields that version does not have. */
  readonly configuration: KubeObject;
  readonly applier: ManagerIdentity;
  /** Takes what others hold. */
  readonly force: boolean;
  /** Now, as `metadata.managedFields` tells it. */
  readonly time: string;
  /** Holds a merged object against the form of the applier's version, and drops zeros that stand for nothing. */
  readonly clean: (object: KubeObject) => KubeObject;
}

export type Applied =
  | {
      /** In the stored form. */
      readonly object: KubeObject;
      readonly managers: Managers;
    }
  | { readonly conflicts: readonly FieldConflict[] };

/** Holds what was there before anybody applied, of an object whose managers are not known. */
const beforeFirstApply = "before-first-apply";

/**
 * Lays a configuration over the live object (KEP-555): what it names has its value and is held by the applier; what the
 * applier held and no longer names goes, unless somebody else holds it; a field of another value that another manager
 * holds is a conflict, which `force` decides for the applier. Fields of one value are held by all who apply it.
 */
export function applyConfiguration(managers: Managers, write: ApplyWrite): Applied {
  const { formOf, live, applier, time } = write;
  if (managers.length > 0) return applyWith(managers, write);
  const { apiVersion, schema } = applier;
  const writer = { manager: beforeFirstApply, operation: "Update", apiVersion, schema } as const;
  return applyWith(trackUpdate(managers, { formOf, after: live, writer, time }), write);
}

function applyWith(managers: Managers, write: ApplyWrite): Applied {
  const { formOf, live, configuration, applier, time } = write;
  const form = formNamed(formOf, applier);
  const own = managers.find((manager) => isSameManager(manager, applier));
  const others = managers.filter((manager) => manager !== own);
  const wanted = fieldsOf(form.shape, configuration);
  const merged = mergeConfiguration(form.shape, form.fromStored(live), configuration) as KubeObject;
  const pruned = prune(merged, { write, form, own, others, wanted });
  const changesIn = changesByVersion(formOf, live, form.toStored(pruned));

  const conflicts = conflictsOf(others, changesIn, write, form);
  if (conflicts.length > 0) return { conflicts };
  const kept = others.flatMap((manager) => withoutChanges(manager, changesIn(manager.apiVersion)) ?? []);
  if (!isEmptySet(wanted)) kept.push(entryOf({ own, applier, wanted, time, changes: changesIn(applier.apiVersion) }));
  const object = form.toStored(write.clean(pruned));
  return { object: syncLastApplied(object, applier, configuration), managers: sortManagers(kept) };
}

/** A new object, of which the applier holds what it names. */
export function applyNew({
  formOf,
  configuration,
  applier,
  time,
  clean,
}: Omit<ApplyWrite, "live" | "force">): Extract<Applied, { object: KubeObject }> {
  const form = formNamed(formOf, applier);
  const wanted = fieldsOf(form.shape, configuration);
  const managers = isEmptySet(wanted) ? [] : [createManager(applier, wanted, time)];
  return { object: form.toStored(clean(configuration)), managers };
}

function formNamed(formOf: FormOf, { apiVersion }: ManagerIdentity): Form {
  const form = formOf(apiVersion);
  if (form === undefined) throw new Error(`a kind without a version ${apiVersion} was applied`);
  return form;
}

interface Pruning {
  readonly write: ApplyWrite;
  readonly form: Form;
  readonly own: Manager | undefined;
  readonly others: Managers;
  readonly wanted: FieldSet;
}

function prune(merged: KubeObject, { write, form, own, others, wanted }: Pruning): KubeObject {
  const lastForm = own === undefined ? undefined : write.formOf(own.apiVersion);
  if (own === undefined || lastForm === undefined) return merged;
  const last = fieldsHeldBy(own);
  // By name, whatever the version: forms of one kind name nearly all fields alike.
  const held = others.reduce((set, other) => union(set, fieldsHeldBy(other)), wanted);
  if (lastForm.apiVersion === form.apiVersion) return pruneFields(form.shape, merged, last, held) as KubeObject;
  // Last applied in another version: what it held is found, and what it goes on holding is named, in that version.
  const again = fieldsOf(lastForm.shape, lastForm.fromStored(form.toStored(write.configuration)));
  const converted = lastForm.fromStored(form.toStored(merged));
  return form.fromStored(
    lastForm.toStored(pruneFields(lastForm.shape, converted, last, union(held, again)) as KubeObject),
  );
}

function conflictsOf(
  others: Managers,
  changesIn: ReturnType<typeof changesByVersion>,
  { live, applier, force }: ApplyWrite,
  form: Form,
): FieldConflict[] {
  if (force) return [];
  const held = others.flatMap((manager) => {
    const changes = changesIn(manager.apiVersion);
    const fields = changes && intersection(fieldsHeldBy(manager), takenOf(changes));
    return fields === undefined || isEmptySet(fields) ? [] : { manager, fields };
  });
  if (held.length === 0) return [];
  // What kubectl's client-side apply wrote down as its own it may go on changing by server-side apply.
  const allowed = lastAppliedFields(live, applier, form);
  return held.flatMap(({ manager, fields }) => conflictsWith(manager, difference(fields, allowed)));
}

interface Entry {
  readonly own: Manager | undefined;
  readonly applier: ManagerIdentity;
  readonly wanted: FieldSet;
  readonly time: string;
  readonly changes: ReturnType<ReturnType<typeof changesByVersion>>;
}

/** The time stays when neither the object nor the set of fields changed. */
function entryOf({ own, applier, wanted, time, changes }: Entry): Manager {
  const isChange =
    changes === undefined || !isEmptySet(takenOf(changes)) || !isEmptySet(changes.removed) || own === undefined;
  const isSame = !isChange && sameSet(fieldsHeldBy(own), wanted);
  return createManager(applier, wanted, isSame ? own.time : time);
}
