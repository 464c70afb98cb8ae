import type { UserInfo } from "#api/admission.ts";
import type { KubeObject, ObjectKey } from "#api/meta/object.ts";
import { applyMergePatch } from "#api/meta/patch.ts";
import { ApiError, isApiError } from "#api/meta/status.ts";
import type { KindName } from "#api/types.ts";
import type { Client, MergePatch, Scope, WatchSink, WriteOptions } from "#client/contract.ts";
import { checkSameKey } from "./registry/identity.ts";
import type { Registry } from "./registry/registry.ts";
import { withReplicas } from "./registry/scale.ts";
import { cloneValue } from "#base/value.ts";
import type { WriteContext } from "./registry/write.ts";

/**
 * The client contract straight on the registry: same admission, same watch, no HTTP and no JSON text between. `isOwn`: see
 * `WriteContext`.
 */
export function createLocalClient(registry: Registry, user: UserInfo, { isOwn = false } = {}): Client {
  // `system:fairlead:controller-manager` writes as `fairlead-controller-manager`.
  const ownName = user.name.replace(/^system:/, "").replaceAll(":", "-");
  const context = ({ fieldManager = ownName }: WriteOptions = {}): WriteContext => ({ user, fieldManager, isOwn });

  const replace = async (kind: KindName, object: KubeObject, context: WriteContext, subresource?: "status") => {
    const key = keyWithin(object.metadata);
    const change = () => cloneValue(object);
    const update = { kind, key, change, needsVersion: true, ...(subresource === undefined ? {} : { subresource }) };
    return (await registry.update(update, context)).item.object;
  };

  return {
    get: async (kind, key) => {
      await registry.latest();
      return registry.get(kind, key)?.object as never;
    },
    list: async (kind, scope = {}) => {
      await registry.latest();
      const { items, revision } = registry.list(kind, scope);
      return { items: items.map(({ object }) => object) as never, resourceVersion: String(revision) };
    },
    watch: (kind, scope, sink) => watchLocally(registry, kind, scope, sink),
    create: async (kind, object, options) =>
      (await registry.create(kind, cloneValue(object) as KubeObject, context(options))).object as never,
    update: async (kind, object, options) => (await replace(kind, object, context(options))) as never,
    updateStatus: async (kind, object, options) => (await replace(kind, object, context(options), "status")) as never,
    patch: async (kind, key, patch, options = {}) => {
      const { subresource } = options;
      const change = (before: KubeObject) => patched(before, patch, subresource);
      const update = { kind, key, change, ...(subresource === undefined ? {} : { subresource }) };
      return (await registry.update(update, context(options))).item.object as never;
    },
    delete: async (kind, key, options = {}) => {
      await registry.delete(kind, key, options, context());
    },
  };
}

function keyWithin({ namespace, name }: KubeObject["metadata"]): ObjectKey {
  return { name, ...(namespace === undefined ? {} : { namespace }) };
}

function patched(before: KubeObject, patch: MergePatch, subresource: string | undefined): KubeObject {
  if (subresource === "scale") {
    const { replicas } = (patch["spec"] ?? {}) as { replicas?: unknown };
    return withReplicas(before, replicas);
  }
  const next = cloneValue(applyMergePatch(before, patch)) as KubeObject;
  checkSameKey(next, before);
  // The revision of `before` is kept out: only one that the patch itself names is a condition.
  const { metadata } = patch as { metadata?: { resourceVersion?: string } };
  if (metadata?.resourceVersion === undefined) delete next.metadata.resourceVersion;
  return next;
}

function watchLocally(
  registry: Registry,
  kind: KindName,
  { since, ...scope }: Scope & { since: string },
  sink: WatchSink<KubeObject>,
): () => void {
  const revision = Number(since === "" ? 0 : since);
  let ended = false;
  const end = (reason: Parameters<typeof sink.end>[0]) => {
    if (ended) return;
    ended = true;
    stop();
    forget();
    sink.end(reason);
  };
  let stop = () => {};
  const forget = registry.onStop(() => end({ reason: "closed" }));
  const query = { ...scope, ...(revision === 0 ? {} : { since: revision }) };
  try {
    stop = registry.watch(kind, query, {
      event(type, { object }) {
        try {
          sink.event({ type, object });
        } catch (error) {
          end({
            reason: "failed",
            error: new ApiError("InternalError", `a watch of ${kind} failed: ${String(error)}`),
          });
        }
      },
      started: (at) => sink.bookmark?.(String(at)),
      expired: () => end({ reason: "expired" }),
    });
  } catch (error) {
    if (!isApiError(error)) throw error;
    queueMicrotask(() => end({ reason: "failed", error }));
  }
  return () => {
    ended = true;
    stop();
    forget();
  };
}
