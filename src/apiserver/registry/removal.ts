import type { KindDefinition } from "#api/kind.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { rfc3339 } from "#base/clock.ts";
import { cloneValue, sameValue } from "#base/value.ts";
import type { DeleteOptions } from "#client/contract.ts";
import type { Item } from "./item.ts";
import { specFinalizers } from "./metadata.ts";
import type { Operation } from "./write.ts";

/**
 * What a DELETE comes to: the object goes, or stays for a while and is marked as going. `undefined`: it is going already
 * and this call does not hasten it.
 */
export function operationFor(
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
