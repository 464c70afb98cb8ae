import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { rfc3339, systemClock, type Clock } from "#base/clock.ts";
import { keyOf, keyText, type KubeObject } from "#api/meta/object.ts";
import { parseFieldSelector, parseLabelSelector } from "#api/meta/selector.ts";
import { ApiError } from "#api/meta/status.ts";
import { resources } from "#api/resources.ts";
import type { KindName } from "#api/types.ts";
import type { Client, Scope, WatchEvent, WatchSink } from "./contract.ts";

/**
 * A client over a plain map, for tests of engines that need no API server: revisions, conflicts, selectors and watches
 * behave as the contract says; nothing is defaulted or validated, and a delete is immediate unless finalizers stand.
 */
export function createFakeClient(initial: readonly KubeObject[] = [], clock: Clock = systemClock): Client {
  const objects = new Map<KindName, Map<string, KubeObject>>();
  const history: { kind: KindName; revision: number; before?: KubeObject; after?: KubeObject }[] = [];
  const sinks = new Set<(entry: (typeof history)[number]) => void>();
  let revision = 0;

  const ofKind = (kind: KindName) => {
    const found = objects.get(kind) ?? new Map<string, KubeObject>();
    objects.set(kind, found);
    return found;
  };

  function write(kind: KindName, before: KubeObject | undefined, after: KubeObject | undefined): KubeObject {
    revision += 1;
    const object = (after ?? before) as KubeObject;
    const stamped = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
    if (after === undefined) ofKind(kind).delete(keyOf(stamped));
    else ofKind(kind).set(keyOf(stamped), stamped);
    const entry = {
      kind,
      revision,
      ...(before && { before: after ? before : stamped }),
      ...(after && { after: stamped }),
    };
    history.push(entry);
    for (const sink of sinks) sink(entry);
    return stamped;
  }

  function existing(kind: KindName, key: string): KubeObject {
    const found = ofKind(kind).get(key);
    if (found === undefined) {
      const name = key.slice(key.indexOf("/") + 1);
      throw new ApiError("NotFound", `${resources[kind].plural} "${name}" not found`);
    }
    return found;
  }

  function replace(kind: KindName, next: KubeObject): KubeObject {
    const before = existing(kind, keyOf(next));
    const asked = next.metadata.resourceVersion;
    if (asked !== undefined && asked !== before.metadata.resourceVersion) {
      throw new ApiError("Conflict", `${resources[kind].plural} "${next.metadata.name}" has been modified`);
    }
    return write(kind, before, isFinished(next) ? undefined : withGeneration(before, next));
  }

  const client: Client = {
    get: async (kind, key) => ofKind(kind).get(keyText(key)) as never,
    list: async (kind, scope = {}) => {
      const matches = matcherOf(scope);
      const items = [...ofKind(kind).entries()]
        .filter(([, object]) => matches(object))
        .sort(([a], [b]) => (a < b ? -1 : 1));
      return { items: items.map(([, object]) => object) as never, resourceVersion: String(revision) };
    },
    watch(kind, scope, sink) {
      const matches = matcherOf(scope);
      let ended = false;
      const deliver = (entry: (typeof history)[number]) => {
        if (entry.kind !== kind) return;
        const event = eventOf(entry, matches);
        if (event !== undefined && !ended) (sink as WatchSink<KubeObject>).event(event);
      };
      queueMicrotask(() => {
        if (ended) return;
        for (const entry of history) if (entry.revision > Number(scope.since)) deliver(entry);
        sinks.add(deliver);
      });
      return () => {
        ended = true;
        sinks.delete(deliver);
      };
    },
    create: async (kind, object) => {
      const { metadata } = object as KubeObject;
      const name = metadata.name ?? `${metadata.generateName}${Math.random().toString(36).slice(2, 7)}`;
      const key = keyText({ ...metadata, name });
      if (ofKind(kind).has(key))
        throw new ApiError("AlreadyExists", `${resources[kind].plural} "${name}" already exists`);
      const creationTimestamp = rfc3339(clock.now());
      const stamped = { generation: 1, uid: randomUUID(), creationTimestamp, ...metadata, name };
      return write(kind, undefined, {
        ...(object as KubeObject),
        apiVersion: resources[kind].apiVersion,
        kind,
        metadata: stamped,
      }) as never;
    },
    update: async (kind, object) => {
      const before = existing(kind, keyOf(object)) as KubeObject & { status?: unknown };
      const { status } = before;
      return replace(kind, { ...(object as KubeObject), ...(status === undefined ? {} : { status }) }) as never;
    },
    updateStatus: async (kind, object) => {
      const before = existing(kind, keyOf(object));
      const { resourceVersion } = object.metadata;
      const status = (object as { status?: unknown }).status;
      return replace(kind, {
        ...before,
        metadata: { ...before.metadata, resourceVersion },
        status,
      } as KubeObject) as never;
    },
    patch: async (kind, key, patch) => {
      const before = existing(kind, keyText(key));
      return replace(kind, mergePatch(before, patch) as KubeObject) as never;
    },
    delete: async (kind, key, options = {}) => {
      const before = existing(kind, keyText(key));
      const { uid, resourceVersion } = options.preconditions ?? {};
      if (uid !== undefined && uid !== before.metadata.uid) throw new ApiError("Conflict", "the UID does not match");
      if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) {
        throw new ApiError("Conflict", "the ResourceVersion does not match");
      }
      const policy = options.propagationPolicy ?? "Background";
      const asked = policy === "Background" ? [] : [policy === "Orphan" ? "orphan" : "foregroundDeletion"];
      const finalizers = [...new Set([...(before.metadata.finalizers ?? []), ...asked])];
      const deletionTimestamp = before.metadata.deletionTimestamp ?? rfc3339(clock.now());
      const going = { ...before, metadata: { ...before.metadata, deletionTimestamp, finalizers } };
      write(kind, before, isFinished(going) ? undefined : going);
    },
  };
  for (const object of initial) {
    const kind = object.kind as KindName;
    write(kind, undefined, { ...object, metadata: { uid: randomUUID(), ...object.metadata } });
  }
  return client;
}

/** Being deleted, with nothing left that holds it: no finalizers, and for a Namespace none in its spec either. */
function isFinished(object: KubeObject): boolean {
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  const own = (object as { spec?: { finalizers?: string[] } }).spec?.finalizers ?? [];
  return deletionTimestamp !== undefined && finalizers.length === 0 && own.length === 0;
}

/** The generation counts changes of spec, for objects that have one. */
function withGeneration(before: KubeObject, next: KubeObject): KubeObject {
  const { generation } = before.metadata;
  const specOf = (object: KubeObject) => (object as { spec?: unknown }).spec;
  if (generation === undefined || isDeepStrictEqual(specOf(before), specOf(next))) return next;
  return { ...next, metadata: { ...next.metadata, generation: generation + 1 } };
}

function eventOf(
  { before, after }: { before?: KubeObject; after?: KubeObject },
  matches: (object: KubeObject) => boolean,
): WatchEvent<KubeObject> | undefined {
  const was = before !== undefined && matches(before);
  const is = after !== undefined && matches(after);
  if (is) return { type: was ? "MODIFIED" : "ADDED", object: after };
  if (!was) return undefined;
  const resourceVersion = (after ?? before).metadata.resourceVersion;
  return { type: "DELETED", object: { ...before, metadata: { ...before.metadata, resourceVersion } } };
}

function matcherOf({ namespace, labelSelector, fieldSelector }: Scope): (object: KubeObject) => boolean {
  const labels = parseLabelSelector(labelSelector ?? "");
  const fields = parseFieldSelector(fieldSelector ?? "");
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    labels(object.metadata.labels) &&
    fields.every(({ path, equals, value }) => (fieldText(object, path) === value) === equals);
}

function fieldText(object: KubeObject, path: string): string {
  let value: unknown = object;
  for (const step of path.split(".")) value = (value as Record<string, unknown> | undefined)?.[step];
  return typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
}

/** RFC 7386. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === "object" && target !== null && !Array.isArray(target) ? target : {};
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}
