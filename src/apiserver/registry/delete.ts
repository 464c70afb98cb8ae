import type { KindDefinition } from "#api/kind.ts";
import { keyText, type KubeObject, type ObjectKey } from "#api/meta/object.ts";
import type { KindName } from "#api/types.ts";
import { rfc3339 } from "#base/clock.ts";
import type { DeleteOptions } from "#client/contract.ts";
import { conflict, forbidden, notFound } from "./errors.ts";
import type { Item } from "./item.ts";
import { reviewOf, webhooksFor } from "./review.ts";
import { specFinalizers } from "./metadata.ts";
import { cloneValue, sameValue } from "#base/value.ts";
import { admissionRequest, commit, withAdmission, type Operation, type WriteBase, type WriteContext } from "./write.ts";

export interface Deleted {
  readonly item: Item;
  /** Whether the object is gone; otherwise finalizers or a grace period keep it for now. */
  readonly gone: boolean;
}

const keptNamespaces = new Set(["default", "kube-system", "kube-public"]);

/** Deletes one object, or marks it as going. Deleting what is going already changes nothing. */
export async function deleteObject(
  base: WriteBase,
  kind: KindName,
  key: ObjectKey,
  options: DeleteOptions,
  context: WriteContext,
): Promise<Deleted> {
  const definition = base.definition(kind);
  for (;;) {
    const before = base.cache(kind).get(keyText(key));
    if (before === undefined) throw notFound(definition.resource, key.name);
    if (kind === "Namespace" && keptNamespaces.has(key.name)) {
      throw forbidden(definition.resource, key.name, "this namespace may not be deleted");
    }
    checkPreconditions(definition, before, options);
    const operation = operationFor(definition, before, options, base.clock.now());
    if (operation === undefined) return { item: before, gone: false };
    const gone = "delete" in operation;
    // What only begins to go is shown with what holds it, so that nothing it uses is given back too early.
    const object = gone ? before.object : operation.put;
    const request = admissionRequest(definition, context, { operation: "DELETE", object });
    const item = await withAdmission(base, request, async (secure) => {
      const written = { operation: "DELETE", before: before.object, options } as const;
      await webhooksFor(base, context)?.review(reviewOf(definition, context, written));
      if (context.dryRun) return before;
      await secure();
      return commit(base, definition, before.key, operation, before.revision);
    });
    if (item !== undefined) return { item, gone };
  }
}

function checkPreconditions({ resource }: KindDefinition, { object }: Item, { preconditions }: DeleteOptions): void {
  const { uid, resourceVersion } = preconditions ?? {};
  const { metadata } = object;
  const mismatch = (what: string, asked: string, has: string | undefined) => {
    const why = `the ${what} in the precondition (${asked}) does not match the ${what} in record (${has}). The object might have been deleted and then recreated`;
    const text = conflict(resource, metadata.name, why);
    return text;
  };
  if (uid !== undefined && uid !== metadata.uid) throw mismatch("UID", uid, metadata.uid);
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw mismatch("ResourceVersion", resourceVersion, metadata.resourceVersion);
  }
}

/** `undefined`: the object is going already and this call does not hasten it. */
function operationFor(
  definition: KindDefinition,
  { object, managers }: Item,
  options: DeleteOptions,
  now: number,
): Operation | undefined {
  const { resourceVersion: _, ...metadata } = cloneValue(object.metadata);
  const grace = graceOf(definition, object, options);
  const finalizers = finalizersFor(object, options);
  const isKept = finalizers.length > 0 || grace > 0 || specFinalizers(object).length > 0;
  if (!isKept) return { delete: object, managers };
  const isGoing = metadata.deletionTimestamp !== undefined;
  const hastens = grace < (metadata.deletionGracePeriodSeconds ?? 0);
  const sameFinalizers = sameValue([...finalizers].sort(), [...(metadata.finalizers ?? [])].sort());
  if (isGoing && !hastens && sameFinalizers) return undefined;
  if (!isGoing || hastens) {
    metadata.deletionTimestamp = rfc3339(now + grace * 1000);
    metadata.deletionGracePeriodSeconds = grace;
    if (definition.hasGeneration) metadata.generation = (metadata.generation ?? 1) + 1;
  }
  if (finalizers.length > 0) metadata.finalizers = [...finalizers];
  else delete metadata.finalizers;
  const next: KubeObject = { ...object, metadata };
  return { put: object.kind === "Namespace" ? terminating(next) : next, managers };
}

function graceOf(definition: KindDefinition, object: KubeObject, { gracePeriodSeconds }: DeleteOptions): number {
  const own = definition.gracePeriodSeconds?.(object) ?? 0;
  if (own === 0) return 0;
  return Math.max(0, gracePeriodSeconds ?? own);
}

const policyFinalizers = { Foreground: "foregroundDeletion", Orphan: "orphan" } as const;

/** The finalizers by which the garbage collector is asked to treat the dependents first; the last wish counts. */
function finalizersFor(object: KubeObject, { propagationPolicy: policy }: DeleteOptions): readonly string[] {
  const had = object.metadata.finalizers ?? [];
  if (policy === undefined) return had;
  const wanted = policy === "Background" ? [] : [policyFinalizers[policy]];
  const others = had.filter((name) => name !== "orphan" && name !== "foregroundDeletion");
  return [...others, ...wanted];
}

function terminating(namespace: KubeObject & { status?: object }): KubeObject {
  return { ...namespace, status: { ...namespace.status, phase: "Terminating" } } as KubeObject;
}
