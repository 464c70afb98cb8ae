import { isDeepStrictEqual } from "node:util";
import { createBackoff, type Backoff } from "#base/backoff.ts";
import type { ControllerRevision } from "#api/apps/controllerrevision/kind.ts";
import type { DaemonSet } from "#api/apps/daemonset/kind.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import { sameValue } from "#api/meta/field-errors.ts";
import { controllerOf, keyOf } from "#api/meta/object.ts";
import { isApiError } from "#api/meta/status.ts";
import {
  createLoop,
  isNamespaceGoing,
  runningLoop,
  type ControllerContext,
  type RunningController,
} from "../controller.ts";
import { applyClaim, compileClaim, keysForPod } from "../ownership.ts";
import { createPendingWrites } from "../pending-writes.ts";
import { compileStatusPatch } from "../status-patch.ts";
import { compileHistory, renderRevision, revisionsToDrop, templatePatch } from "./history.ts";
import { compilePlacements, compileRollout, groupByNode, type Plan, type World } from "./plan.ts";
import { renderPod, revisionLabel } from "./pod.ts";
import { compileDaemonSetStatus } from "./status.ts";

/** How many pods one turn creates or deletes at most (upstream's burst). */
const burst = 250;

/** How long a pod that ended is left, the next time it happens on the same node and so on. */
const endedBackoff = { base: 1000, limit: 900_000, jitter: 0 };

/** Keeps a pod of each DaemonSet on every node that fits, and rolls changes of the template out. */
export function startDaemonSets(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const events = context.recorder("daemonset-controller");
  const sets = informers.of("DaemonSet");
  const revisions = informers.of("ControllerRevision");
  const pods = informers.of("Pod");
  const nodes = informers.of("Node");
  const pending = createPendingWrites(pods, clock);
  /** When a pod that ended on a node may be removed, by DaemonSet, then node. */
  const ended = new Map<string, Map<string, { backoff: Backoff; at: number }>>();

  async function reconcile(key: string): Promise<void> {
    const set = sets.get(key);
    if (set === undefined) {
      ended.delete(key);
      return pending.forget(key);
    }
    if (set.metadata.deletionTimestamp !== undefined) return;
    if (!pending.caughtUp(key)) return queue.addAfter(key, pending.expiryMs);
    const owned = await claimPods(key, set);
    const revision = await keepHistory(set, owned);
    const world: World = {
      set,
      nodes: nodes.list().filter(({ metadata }) => metadata.deletionTimestamp === undefined),
      podsByNode: groupByNode(owned),
      revision,
      now: clock.now(),
    };
    const placements = unhurried(key, compilePlacements(world));
    const isBusy = placements.create.length + placements.remove.length > 0;
    // An update goes on once what is there is as it should be.
    const rolls = !isBusy && set.spec.updateStrategy?.type !== "OnDelete";
    const failure = await carryOut(key, set, rolls ? compileRollout(world) : placements, revision);
    await writeStatus(key, world);
    if (failure !== undefined) throw new Error(failure);
  }

  async function claimPods(key: string, set: DaemonSet): Promise<readonly Pod[]> {
    const { uid = "", namespace = "" } = set.metadata;
    const candidates = new Set([...pods.by("owner", uid), ...pods.by("orphan", namespace)]);
    const claim = compileClaim(set, [...candidates]);
    for (const written of await applyClaim(client, "Pod", set, claim)) pending.wrote(key, written);
    return [...claim.owned, ...claim.adopt];
  }

  /** Writes the revision of today's template, if need be, and drops what is beyond the limit; answers its hash. */
  async function keepHistory(set: DaemonSet, owned: readonly Pod[]): Promise<string> {
    const known = revisions.by("owner", set.metadata.uid ?? "");
    const { current, old, number } = compileHistory(set, known);
    let revision = current;
    if (revision === undefined) revision = await createRevision(set, number);
    else if (revision.revision !== number) {
      revision = await client.patch("ControllerRevision", revision.metadata, { revision: number });
    }
    for (const { metadata } of revisionsToDrop(set, old, owned)) {
      await unlessGone(client.delete("ControllerRevision", metadata));
    }
    return revision.metadata.labels?.[revisionLabel] ?? "";
  }

  /** Another template whose hash is the same takes the name away: it is counted, and the next turn has another name. */
  async function createRevision(set: DaemonSet, number: number): Promise<ControllerRevision> {
    const wished = renderRevision(set, number);
    try {
      return await client.create("ControllerRevision", wished);
    } catch (error) {
      if (!isApiError(error, "AlreadyExists")) throw error;
    }
    const key = { namespace: set.metadata.namespace ?? "", name: wished.metadata.name ?? "" };
    const found = await client.get("ControllerRevision", key);
    const isOurs = found !== undefined && controllerOf(found)?.uid === set.metadata.uid;
    if (isOurs && sameValue(found.data, templatePatch(set))) return found;
    const collisionCount = (set.status?.collisionCount ?? 0) + 1;
    await client.patch("DaemonSet", set.metadata, { status: { collisionCount } }, { subresource: "status" });
    throw new Error(`ControllerRevision ${key.name} is of another template; trying another name`);
  }

  /** Leaves pods that ended for a while, longer each time, so that one that cannot run does not keep everybody busy. */
  function unhurried(key: string, plan: Plan): Plan {
    const waits = ended.get(key) ?? new Map<string, { backoff: Backoff; at: number }>();
    ended.set(key, waits);
    const now = clock.monotonic();
    const held = plan.ended.filter((pod) => {
      const node = pod.spec.nodeName ?? "";
      const wait = waits.get(node);
      if (wait !== undefined && now < wait.at) {
        queue.addAfter(key, wait.at - now);
        return true;
      }
      const backoff = wait?.backoff ?? createBackoff(endedBackoff);
      waits.set(node, { backoff, at: now + backoff.next() });
      return false;
    });
    return { ...plan, remove: plan.remove.filter((pod) => !held.includes(pod)) };
  }

  async function carryOut(key: string, set: DaemonSet, plan: Plan, revision: string): Promise<string | undefined> {
    const { create, remove } = plan;
    const failures = await Promise.all([
      ...create.slice(0, burst).map((node) => createPod(key, set, node, revision)),
      ...remove.slice(0, burst).map((pod) => deletePod(key, set, pod)),
    ]);
    return failures.find((failure) => failure !== undefined);
  }

  async function createPod(key: string, set: DaemonSet, node: string, revision: string): Promise<string | undefined> {
    try {
      const pod = await client.create("Pod", renderPod(set, node, revision));
      pending.wrote(key, pod);
      events.normal(set, "SuccessfulCreate", `Created pod: ${pod.metadata.name}`);
      return undefined;
    } catch (error) {
      if (isNamespaceGoing(error)) return undefined;
      const message = `Error creating: ${error instanceof Error ? error.message : String(error)}`;
      events.warning(set, "FailedCreate", message);
      return message;
    }
  }

  async function deletePod(key: string, set: DaemonSet, pod: Pod): Promise<string | undefined> {
    const { uid, name } = pod.metadata;
    if (pod.status?.phase === "Failed") {
      const text = `Found failed daemon pod ${keyOf(pod)} on node ${pod.spec.nodeName}, will try to kill it`;
      events.warning(set, "FailedDaemonPod", text);
    }
    pending.deleted(key, pod);
    try {
      await client.delete("Pod", pod.metadata, { preconditions: { uid } });
      events.normal(set, "SuccessfulDelete", `Deleted pod: ${name}`);
      return undefined;
    } catch (error) {
      if (isApiError(error, "NotFound")) return undefined;
      pending.undeleted(key, pod);
      if (isApiError(error, "Conflict")) return undefined;
      const message = `Error deleting: ${error instanceof Error ? error.message : String(error)}`;
      events.warning(set, "FailedDelete", message);
      return message;
    }
  }

  async function writeStatus(key: string, world: World): Promise<void> {
    const { set } = world;
    const { status, nextAvailableIn } = compileDaemonSetStatus(world);
    if (nextAvailableIn !== undefined) queue.addAfter(key, nextAvailableIn);
    const patch = compileStatusPatch(set.status, status);
    if (patch === undefined) return;
    await unlessGone(client.patch("DaemonSet", set.metadata, patch, { subresource: "status" }));
  }

  function addOwnersOf(pod: Pod | undefined): void {
    if (pod === undefined) return;
    const near = sets.by("namespace", pod.metadata.namespace ?? "");
    for (const key of keysForPod(pod, "DaemonSet", near)) queue.add(key);
  }

  const queue = createLoop(context, { name: "daemonset", reconcile });
  return runningLoop(queue, [
    sets.onChange(({ before, after }) => queue.add(keyOf(after ?? before))),
    revisions.onChange(({ type, before, after }) => {
      const owner = controllerOf(after ?? before);
      if (type === "removed" && owner?.kind === "DaemonSet") queue.add(`${before.metadata.namespace}/${owner.name}`);
    }),
    pods.onChange(({ before, after }) => {
      addOwnersOf(after);
      if (after === undefined || controllerOf(before ?? after)?.uid !== controllerOf(after)?.uid) addOwnersOf(before);
    }),
    nodes.onChange(({ before, after }) => {
      const facts = (node: typeof after) => [
        node?.metadata.labels,
        node?.spec?.taints,
        node?.metadata.deletionTimestamp,
      ];
      if (before !== undefined && after !== undefined && isDeepStrictEqual(facts(before), facts(after))) return;
      for (const set of sets.list()) queue.add(keyOf(set));
    }),
  ]);
}

async function unlessGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isApiError(error, "NotFound")) throw error;
  }
}
