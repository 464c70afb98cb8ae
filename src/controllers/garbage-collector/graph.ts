import type { KubeObject, OwnerReference } from "#api/meta/object.ts";
import { resources } from "#api/resources.ts";
import type { KindName } from "#api/types.ts";
import type { ControllerInformers, WatchedKind } from "../informers.ts";

/** Names one object of any kind, as text for queues: `Pod dev/web-1`. */
export interface Item {
  readonly kind: WatchedKind;
  readonly key: string;
}

export const itemText = ({ kind, key }: Item): string => `${kind} ${key}`;

export function parseItem(text: string): Item {
  const space = text.indexOf(" ");
  return { kind: text.slice(0, space) as WatchedKind, key: text.slice(space + 1) };
}

export const foregroundFinalizer = "foregroundDeletion";
export const orphanFinalizer = "orphan";

export function hasFinalizer({ metadata }: KubeObject, finalizer: string): boolean {
  return metadata.finalizers?.includes(finalizer) === true;
}

export function isGoing({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** Deletes its dependents first, and goes when those that block it are gone. */
export function waitsForDependents(object: KubeObject): boolean {
  return isGoing(object) && hasFinalizer(object, foregroundFinalizer);
}

/** Every object that names `owner` as an owner, whatever its kind. */
export function dependentsOf(informers: ControllerInformers, uid: string): { kind: WatchedKind; object: KubeObject }[] {
  return informers.kinds.flatMap((kind) =>
    informers
      .of(kind)
      .by("owner", uid)
      .map((object) => ({ kind, object })),
  );
}

export function blocks(dependent: KubeObject, ownerUid: string): boolean {
  return (dependent.metadata.ownerReferences ?? []).some(
    ({ uid, blockOwnerDeletion }) => uid === ownerUid && blockOwnerDeletion === true,
  );
}

/**
 * Where an owner must be looked for: its kind, and its namespace, which is the dependent's. `undefined` for kinds that
 * are not served here and for an owner that cannot be one (a namespaced owner of a cluster-wide object): such a
 * reference is never taken as a reason to delete.
 */
export function ownerPlace(
  dependent: KubeObject,
  owner: OwnerReference,
): { kind: WatchedKind; name: string; namespace?: string } | undefined {
  const kind = owner.kind as KindName;
  if (!Object.hasOwn(resources, kind) || kind === "Event") return undefined;
  const resource = resources[kind];
  if (groupOf(resource.apiVersion) !== groupOf(owner.apiVersion)) return undefined;
  if (!resource.namespaced) return { kind, name: owner.name };
  const { namespace } = dependent.metadata;
  return namespace === undefined ? undefined : { kind, name: owner.name, namespace };
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
}
