import { isDeepStrictEqual } from "node:util";
import { keyOf, keyText, type KubeObject, type OwnerReference } from "#api/meta/object.ts";
import { isApiError } from "#api/meta/status.ts";
import type { DeleteOptions } from "#client/contract.ts";
import type { Change, Informer } from "#client/informer.ts";
import { createLoop, runningLoop, type ControllerContext, type RunningController } from "../controller.ts";
import type { WatchedKind } from "../informers.ts";
import {
  blocks,
  dependentsOf,
  foregroundFinalizer,
  hasFinalizer,
  isGoing,
  itemText,
  orphanFinalizer,
  ownerPlace,
  parseItem,
  waitsForDependents,
} from "./graph.ts";

/** How many uids of objects known to be gone are remembered. */
const rememberedGone = 10_000;

/**
 * Removes what its owners left behind, and carries out the foreground and orphan ways of deleting, by the uids in owner
 * references (`pkg/controller/garbagecollector`). An owner counts as gone only when the API itself says so.
 */
export function startGarbageCollector(context: ControllerContext): RunningController {
  const { client, informers } = context;
  const events = context.recorder("garbage-collector-controller");
  const gone = new Set<string>();
  const informerOf = (kind: WatchedKind): Informer<KubeObject> => informers.of(kind);

  async function reconcile(text: string): Promise<void> {
    const { kind, key } = parseItem(text);
    const object = informerOf(kind).get(key);
    if (object === undefined) return;
    try {
      if (waitsForDependents(object)) await deleteDependents(kind, object);
      else if (isGoing(object) && hasFinalizer(object, orphanFinalizer)) await orphanDependents(kind, object);
      else if (!isGoing(object)) await collect(kind, object);
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
  }

  async function deleteDependents(kind: WatchedKind, owner: KubeObject): Promise<void> {
    const { uid = "" } = owner.metadata;
    const dependents = dependentsOf(informers, uid);
    for (const each of dependents) addItem(each.kind, each.object);
    if (!dependents.some(({ object }) => blocks(object, uid))) await dropFinalizer(kind, owner, foregroundFinalizer);
  }

  async function orphanDependents(kind: WatchedKind, owner: KubeObject): Promise<void> {
    const { uid = "" } = owner.metadata;
    await Promise.all(
      dependentsOf(informers, uid).map((each) =>
        dropOwners(each.kind, each.object, (reference) => reference.uid === uid),
      ),
    );
    await dropFinalizer(kind, owner, orphanFinalizer);
  }

  /** Deletes an object whose owners are all gone or waiting for it; otherwise drops the references that mean nothing. */
  async function collect(kind: WatchedKind, object: KubeObject): Promise<void> {
    const references = object.metadata.ownerReferences ?? [];
    if (references.length === 0) return;
    const states = new Map<string, OwnerState>();
    for (const reference of references) states.set(reference.uid, await stateOf(object, reference));
    const all = [...states.values()];
    if (all.includes("stands")) {
      if (all.some((state) => state !== "stands")) {
        await dropOwners(kind, object, ({ uid }) => states.get(uid) !== "stands");
      }
      return;
    }
    const blocked = dependentsOf(informers, object.metadata.uid ?? "").length > 0;
    await remove(kind, object, all.includes("waits") && blocked ? "Foreground" : defaultPolicy(object));
  }

  async function stateOf(dependent: KubeObject, reference: OwnerReference): Promise<OwnerState> {
    const place = ownerPlace(dependent, reference);
    if (place === undefined) return "stands";
    const cached = informerOf(place.kind).get(keyText(place));
    const owner = cached?.metadata.uid === reference.uid ? cached : await lookUp(place, reference);
    if (owner !== undefined) {
      return waitsForDependents(owner) && reference.blockOwnerDeletion === true ? "waits" : "stands";
    }
    const elsewhere = informerOf(place.kind)
      .list()
      .some(({ metadata }) => metadata.uid === reference.uid);
    if (!elsewhere || gone.has(reference.uid)) return "gone";
    const { kind, name, uid } = reference;
    const message = `ownerRef [${reference.apiVersion}/${kind}, name: ${name}, uid: ${uid}] does not exist in namespace "${place.namespace}"`;
    events.warning(dependent, "OwnerRefInvalidNamespace", message);
    return "stands";
  }

  async function lookUp(place: NonNullable<ReturnType<typeof ownerPlace>>, { uid }: OwnerReference) {
    if (gone.has(uid)) return undefined;
    const found = await client.get(place.kind, place);
    return found?.metadata.uid === uid ? found : undefined;
  }

  async function remove(kind: WatchedKind, object: KubeObject, propagationPolicy: DeleteOptions["propagationPolicy"]) {
    const { uid } = object.metadata;
    await client.delete(kind, object.metadata, {
      propagationPolicy,
      ...(uid !== undefined && { preconditions: { uid } }),
    });
  }

  async function dropOwners(kind: WatchedKind, object: KubeObject, drops: (reference: OwnerReference) => boolean) {
    const { resourceVersion } = object.metadata;
    const ownerReferences = (object.metadata.ownerReferences ?? []).filter((reference) => !drops(reference));
    await ignoringGone(client.patch(kind, object.metadata, { metadata: { resourceVersion, ownerReferences } }));
  }

  async function dropFinalizer(kind: WatchedKind, object: KubeObject, finalizer: string): Promise<void> {
    const { resourceVersion } = object.metadata;
    const finalizers = (object.metadata.finalizers ?? []).filter((each) => each !== finalizer);
    await client.patch(kind, object.metadata, { metadata: { resourceVersion, finalizers } });
  }

  function addItem(kind: WatchedKind, object: KubeObject): void {
    queue.add(itemText({ kind, key: keyOf(object) }));
  }

  function changed(kind: WatchedKind, { before, after }: Change<KubeObject>): void {
    if (after === undefined) return removed(before);
    const same =
      before !== undefined &&
      isDeepStrictEqual(before.metadata.ownerReferences, after.metadata.ownerReferences) &&
      isDeepStrictEqual(before.metadata.finalizers, after.metadata.finalizers) &&
      isGoing(before) === isGoing(after);
    if (same) return;
    if ((after.metadata.ownerReferences?.length ?? 0) > 0 || isGoing(after)) addItem(kind, after);
  }

  /** The dependents of what went may go now, and an owner that waited for it may be done. */
  function removed(object: KubeObject): void {
    const { uid = "", ownerReferences = [] } = object.metadata;
    gone.add(uid);
    if (gone.size > rememberedGone) gone.delete(gone.values().next().value ?? "");
    for (const dependent of dependentsOf(informers, uid)) addItem(dependent.kind, dependent.object);
    for (const reference of ownerReferences) {
      const place = ownerPlace(object, reference);
      const owner = place === undefined ? undefined : informerOf(place.kind).get(keyText(place));
      if (place !== undefined && owner !== undefined && waitsForDependents(owner)) addItem(place.kind, owner);
    }
  }

  const queue = createLoop(context, { name: "garbage-collector", reconcile });
  return runningLoop(
    queue,
    informers.kinds.map((kind) => informerOf(kind).onChange((change) => changed(kind, change))),
  );
}

type OwnerState = "stands" | "waits" | "gone";

function defaultPolicy(object: KubeObject): DeleteOptions["propagationPolicy"] {
  if (hasFinalizer(object, orphanFinalizer)) return "Orphan";
  return hasFinalizer(object, foregroundFinalizer) ? "Foreground" : "Background";
}

async function ignoringGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isApiError(error, "NotFound")) throw error;
  }
}
