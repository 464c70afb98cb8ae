import { withCondition, type Condition } from "#api/meta/condition.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { resources } from "#api/resources.ts";
import type { KindName } from "#api/types.ts";

/** What a namespace that is going away still holds. */
export type Remaining = ReadonlyMap<KindName, readonly KubeObject[]>;

/** The five conditions that `kubectl describe namespace` shows while it waits, in upstream's words. */
export function compileNamespaceConditions(
  before: readonly Condition[] | undefined,
  { remaining, failure, now }: { remaining: Remaining; failure: string | undefined; now: string },
): Condition[] {
  let conditions = [...(before ?? [])];
  for (const condition of [
    fine("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    fine(
      "NamespaceDeletionGroupVersionParsingFailure",
      "ParsedGroupVersions",
      "All legacy kube types successfully parsed",
    ),
    failure === undefined
      ? fine(
          "NamespaceDeletionContentFailure",
          "ContentDeleted",
          "All content successfully deleted, may be waiting on finalization",
        )
      : bad(
          "NamespaceDeletionContentFailure",
          "ContentDeletionFailed",
          `Failed to delete all resource types: ${failure}`,
        ),
    contentRemaining(remaining),
    finalizersRemaining(remaining),
  ]) {
    conditions = withCondition(conditions, condition, now);
  }
  return conditions;
}

function contentRemaining(remaining: Remaining): Condition {
  const type = "NamespaceContentRemaining";
  const texts = [...remaining]
    .filter(([, objects]) => objects.length > 0)
    .map(([kind, objects]) => `${pathOf(kind)} has ${objects.length} resource instances`);
  if (texts.length === 0) return fine(type, "ContentRemoved", "All content successfully removed");
  return bad(type, "SomeResourcesRemain", `Some resources are remaining: ${texts.sort().join(", ")}`);
}

function finalizersRemaining(remaining: Remaining): Condition {
  const type = "NamespaceFinalizersRemaining";
  const counts = new Map<string, number>();
  for (const { metadata } of [...remaining.values()].flat()) {
    for (const name of metadata.finalizers ?? []) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  if (counts.size === 0) return fine(type, "ContentHasNoFinalizers", "All content-preserving finalizers finished");
  const texts = [...counts].map(([name, count]) => `${name} in ${count} resource instances`);
  return bad(
    type,
    "SomeFinalizersRemain",
    `Some content in the namespace has finalizers remaining: ${texts.sort().join(", ")}`,
  );
}

function pathOf(kind: KindName): string {
  const { plural, apiVersion } = resources[kind];
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  return `${plural}.${group}`;
}

const fine = (type: string, reason: string, message: string): Condition => ({ type, status: "False", reason, message });
const bad = (type: string, reason: string, message: string): Condition => ({ type, status: "True", reason, message });
