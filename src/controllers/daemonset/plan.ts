import type { DaemonSet } from "#api/apps/daemonset/kind.ts";
import type { Node } from "#api/core/node/kind.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import { availableIn, isReady, isTerminating } from "../pods/state.ts";
import { scaled } from "../deployment/limits.ts";
import { fitOf, revisionLabel, targetNodeOf } from "./pod.ts";

/** What one turn does. */
export interface Plan {
  /** Names of nodes that get a pod. */
  readonly create: readonly string[];
  readonly remove: readonly Pod[];
  /** Those of `remove` that ended by themselves, and so often that it should not be hurried. */
  readonly ended: readonly Pod[];
}

/** The pods of a DaemonSet by the node they are on or meant for, the oldest first. */
export type PodsByNode = ReadonlyMap<string, readonly Pod[]>;

export interface World {
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  readonly podsByNode: PodsByNode;
  /** The revision that pods are to be of. */
  readonly revision: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

export function groupByNode(pods: readonly Pod[]): Map<string, Pod[]> {
  const groups = new Map<string, Pod[]>();
  for (const pod of pods.toSorted(byAge)) {
    const node = targetNodeOf(pod);
    if (node === undefined) continue;
    const group = groups.get(node) ?? [];
    groups.set(node, group);
    group.push(pod);
  }
  return groups;
}

/** Those with a node before those that wait for one, then the oldest; of one second, those that work come first. */
function byAge(a: Pod, b: Pod): number {
  const key = (pod: Pod) => {
    const { name, creationTimestamp } = pod.metadata;
    return `${pod.spec.nodeName ? 0 : 1} ${creationTimestamp} ${isReady(pod) ? 0 : 1} ${name}`;
  };
  return key(a) < key(b) ? -1 : 1;
}

/** Which nodes lack a pod and which pods are too many (upstream's `manage`). */
export function compilePlacements(world: World): Plan {
  const { set, nodes, podsByNode } = world;
  const create: string[] = [];
  const remove: Pod[] = [];
  const ended: Pod[] = [];
  for (const node of nodes) {
    const { name } = node.metadata;
    const { shouldRun, mayStay } = fitOf(set, node);
    const pods = podsByNode.get(name) ?? [];
    const staying = pods.filter((pod) => !isTerminating(pod));
    if (!mayStay) remove.push(...staying);
    else if (shouldRun && pods.length === 0) create.push(name);
    else {
      const over = staying.filter((pod) => hasEnded(pod));
      const running = staying.filter((pod) => !hasEnded(pod));
      ended.push(...over);
      remove.push(...over, ...(surgeOf(world) === 0 ? running.slice(1) : superfluous(running, world)));
      // A surge needs a pod that stays, also while an older one ends.
      if (surgeOf(world) > 0 && running.length === 0 && shouldRun) create.push(name);
    }
  }
  const known = new Set(nodes.map(({ metadata }) => metadata.name));
  for (const [node, pods] of podsByNode) {
    // A pod that waits for a node that is gone waits for ever.
    if (!known.has(node)) remove.push(...pods.filter((pod) => !pod.spec.nodeName && !isTerminating(pod)));
  }
  return { create, remove, ended };
}

/** With a surge, the oldest of this revision may run beside the oldest of another one until it is available. */
function superfluous(running: readonly Pod[], world: World): Pod[] {
  if (running.length <= 1) return [];
  const current = running.find((pod) => isCurrent(pod, world));
  const old = running.find((pod) => !isCurrent(pod, world));
  const others = running.filter((pod) => pod !== current && pod !== old);
  const replaced = old !== undefined && current !== undefined && (!isReady(old) || isAvailable(current, world));
  return replaced ? [...others, old] : others;
}

/**
 * The next steps of a rolling update: with `maxUnavailable`, old pods to delete, those that do not work first; with
 * `maxSurge`, nodes to get a second pod and old pods whose successor is available (upstream's `rollingUpdate`).
 */
export function compileRollout(world: World): Plan {
  const desired = world.nodes.filter((node) => fitOf(world.set, node).shouldRun).map(({ metadata }) => metadata.name);
  const states = new Map([...world.podsByNode].map(([name, pods]) => [name, updatedOn(pods, world)]));
  for (const name of desired) if (!states.has(name)) states.set(name, {});
  const surge = scaled(surgeValue(world), desired.length, Math.ceil);
  const unavailable = scaled(unavailableValue(world), desired.length, Math.ceil);
  if (surge > 0) return surgePlan(states, surge, world);
  return replacePlan([...states.values()], desired.length > 0 ? Math.max(1, unavailable) : unavailable, world);
}

interface Updated {
  readonly current?: Pod;
  readonly old?: Pod;
  /** More pods than an update makes: the placements deal with them first. */
  readonly isCrowded?: boolean;
}

function updatedOn(pods: readonly Pod[], world: World): Updated {
  const [current, ...moreCurrent] = pods.filter((pod) => !isTerminating(pod) && isCurrent(pod, world));
  const [old, ...moreOld] = pods.filter((pod) => !isTerminating(pod) && !isCurrent(pod, world));
  if (moreCurrent.length + moreOld.length > 0) return { isCrowded: true };
  return { ...(current && { current }), ...(old && { old }) };
}

function replacePlan(states: readonly Updated[], limit: number, world: World): Plan {
  const broken: Pod[] = [];
  const candidates: Pod[] = [];
  let missing = 0;
  for (const { current, old, isCrowded } of states) {
    if (isCrowded === true || (current === undefined) === (old === undefined)) missing += 1;
    else if (current !== undefined) missing += isAvailable(current, world) ? 0 : 1;
    else if (old !== undefined) (isAvailable(old, world) ? candidates : broken).push(old);
  }
  return { create: [], remove: [...broken, ...candidates.slice(0, Math.max(0, limit - missing))], ended: [] };
}

function surgePlan(states: ReadonlyMap<string, Updated>, limit: number, world: World): Plan {
  const remove: Pod[] = [];
  const replaced: string[] = [];
  const candidates: string[] = [];
  let surging = 0;
  for (const [name, { current, old, isCrowded }] of states) {
    if (isCrowded === true) surging += 1;
    else if (old === undefined) continue;
    else if (current === undefined) (isAvailable(old, world) ? candidates : replaced).push(name);
    else if (isAvailable(current, world)) remove.push(old);
    else surging += 1;
  }
  return { create: [...replaced, ...candidates.slice(0, Math.max(0, limit - surging))], remove, ended: [] };
}

export function isCurrent({ metadata }: Pod, { revision }: Pick<World, "revision">): boolean {
  return metadata.labels?.[revisionLabel] === revision;
}

export function isAvailable(pod: Pod, { set, now }: Pick<World, "set" | "now">): boolean {
  return availableIn(pod, set.spec.minReadySeconds ?? 0, now) === 0;
}

function hasEnded({ status }: Pod): boolean {
  return status?.phase === "Failed" || status?.phase === "Succeeded";
}

function unavailableValue({ set }: World): number | string {
  return set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1;
}

function surgeValue({ set }: World): number | string {
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
  return type === "OnDelete" ? 0 : (rollingUpdate?.maxSurge ?? 0);
}

function surgeOf(world: World): number {
  return scaled(surgeValue(world), 100, Math.ceil);
}
