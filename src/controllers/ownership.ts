import type { Pod } from "#api/core/pod/kind.ts";
import { controllerOf, keyOf, type KubeObject, type OwnerReference } from "#api/meta/object.ts";
import { matchesSelector, type LabelSelector } from "#api/meta/selector.ts";
import { isApiError } from "#api/meta/status.ts";
import type { Client } from "#client/contract.ts";
import type { KindName } from "#api/types.ts";

interface Controlling extends KubeObject {
  spec: { selector: LabelSelector };
}

export interface Claim<T> {
  readonly owned: readonly T[];
  /** Match the selector and have no controller: to be adopted. */
  readonly adopt: readonly T[];
  /** Are owned but no longer match: to be let go. */
  readonly release: readonly T[];
}

/**
 * Which candidates a controlling object owns, should adopt and should let go (upstream's ControllerRefManager). An
 * object that is being deleted adopts and releases nothing, and one that is being deleted is never adopted.
 */
export function compileClaim<T extends KubeObject>(owner: Controlling, candidates: readonly T[]): Claim<T> {
  const owned: T[] = [];
  const adopt: T[] = [];
  const release: T[] = [];
  const going = owner.metadata.deletionTimestamp !== undefined;
  for (const candidate of candidates) {
    const matches = matchesSelector(owner.spec.selector, candidate.metadata.labels);
    const controller = controllerOf(candidate);
    if (controller !== undefined) {
      if (controller.uid !== owner.metadata.uid) continue;
      if (matches || going) owned.push(candidate);
      else release.push(candidate);
    } else if (matches && !going && candidate.metadata.deletionTimestamp === undefined) adopt.push(candidate);
  }
  return { owned, adopt, release };
}

/** The keys of the sets of a kind that a change of this pod concerns: its own, or, for an orphan, all that match it. */
export function keysForPod(pod: Pod, kind: KindName, sets: readonly Controlling[]): string[] {
  const controller = controllerOf(pod);
  if (controller?.kind === kind) return [`${pod.metadata.namespace ?? ""}/${controller.name}`];
  if (controller !== undefined) return [];
  return sets.filter(({ spec }) => matchesSelector(spec.selector, pod.metadata.labels)).map(keyOf);
}

export function ownerReferenceTo({ apiVersion, kind, metadata }: KubeObject): OwnerReference {
  const { name, uid = "" } = metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** Carries a claim out; an object that went meanwhile is no error. Answers what was written. */
export async function applyClaim<T extends KubeObject>(
  client: Client,
  kind: KindName,
  owner: Controlling,
  { adopt, release }: Claim<T>,
): Promise<KubeObject[]> {
  const patches = [
    ...adopt.map((object) => ({
      object,
      ownerReferences: [...(object.metadata.ownerReferences ?? []), ownerReferenceTo(owner)],
    })),
    ...release.map((object) => ({
      object,
      ownerReferences: (object.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid),
    })),
  ];
  const written = await Promise.all(
    patches.map(async ({ object, ownerReferences }) => {
      const { resourceVersion } = object.metadata;
      try {
        return await client.patch(kind, object.metadata, { metadata: { ownerReferences, resourceVersion } });
      } catch (error) {
        if (!isApiError(error, "NotFound")) throw error;
        return undefined;
      }
    }),
  );
  return written.filter((object) => object !== undefined);
}
