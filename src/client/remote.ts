import type { KubeObject, ObjectKey } from "#api/meta/object.ts";
import { applyMergePatch } from "#api/meta/patch.ts";
import { isApiError } from "#api/meta/status.ts";
import { resourcePath, resources } from "#api/resources.ts";
import type { KindName, KindTypes } from "#api/types.ts";
import type { Client, MergePatch, Scope, WatchEvent, WriteOptions } from "./contract.ts";
import { createConnection, type ConnectionOptions } from "./remote-connection.ts";
import { received } from "./received.ts";
import { watchRemotely } from "./remote-watch.ts";

export interface RemoteClient extends Client {
  /** A token of a ServiceAccount (`TokenRequest`), and when it ends, in milliseconds since the epoch. */
  createToken(account: ObjectKey, spec: TokenSpec): Promise<{ token: string; expiresAt: number }>;
  /** Ends watches and drops idle connections. */
  close(): void;
}

export interface TokenSpec {
  audiences?: readonly string[];
  expirationSeconds?: number;
  boundObjectRef?: { kind: string; apiVersion: string; name: string; uid: string };
}

/** Lists are read in pages of this size, all of one revision. */
const pageSize = 500;
const mergePatchType = "application/merge-patch+json";

export interface RemoteClientOptions extends ConnectionOptions {
  /** Makes less of each object that lists and watches bring, before it is kept: what nobody here will read goes. */
  trim?: { readonly [K in KindName]?: (object: KindTypes[K]) => KindTypes[K] };
  /** Waited for after each page of a list but the last: time to give back what reading it took. */
  onPage?: () => Promise<void>;
}

/** The client contract over HTTPS. */
export function createRemoteClient(options: RemoteClientOptions): RemoteClient {
  const { name = "fairlead", trim = {}, onPage } = options;
  const connection = createConnection(options);
  const watches = new Set<() => void>();

  const pathOf = (kind: KindName, { namespace, name: object }: Partial<ObjectKey>, subresource?: string) =>
    resourcePath(resources[kind], {
      ...(namespace === undefined ? {} : { namespace }),
      ...(object === undefined ? {} : { name: object }),
      ...(subresource === undefined ? {} : { subresource }),
    });
  const manager = ({ fieldManager = name }: WriteOptions = {}) =>
    `?${new URLSearchParams({ fieldManager }).toString()}`;
  const body = (kind: KindName, object: object) => ({ ...object, apiVersion: resources[kind].apiVersion, kind });
  const keyOf = ({ metadata }: KubeObject): ObjectKey => metadata;

  const objectOf = (answer: unknown) => received(answer as KubeObject);
  const trimmed = (kind: KindName, object: KubeObject) =>
    (trim[kind] as ((object: KubeObject) => KubeObject) | undefined)?.(object) ?? object;

  async function get(kind: KindName, key: ObjectKey): Promise<KubeObject | undefined> {
    try {
      return objectOf(await connection.request("GET", pathOf(kind, key)));
    } catch (error) {
      if (isApiError(error, "NotFound")) return undefined;
      throw error;
    }
  }

  async function list(kind: KindName, scope: Scope): Promise<{ items: KubeObject[]; resourceVersion: string }> {
    for (;;) {
      try {
        return await listPages(kind, scope);
      } catch (error) {
        // The pages' revision went while they were read: begin again.
        if (!isApiError(error, "Expired", "Gone")) throw error;
      }
    }
  }

  async function listPages(kind: KindName, scope: Scope): Promise<{ items: KubeObject[]; resourceVersion: string }> {
    const items: KubeObject[] = [];
    let next = "";
    for (;;) {
      const query = selectorQuery(scope);
      query.set("limit", String(pageSize));
      if (next !== "") query.set("continue", next);
      const path = `${pathOf(kind, scopeKey(scope))}?${query.toString()}`;
      const page = (await connection.request("GET", path)) as {
        metadata: { resourceVersion: string; continue?: string };
        items?: KubeObject[] | null;
      };
      // Typed lists of other servers leave kind and version to the list.
      for (const item of page.items ?? []) items.push(trimmed(kind, body(kind, received(item)) as KubeObject));
      next = page.metadata.continue ?? "";
      if (next === "") return { items, resourceVersion: page.metadata.resourceVersion };
      await onPage?.();
    }
  }

  /** The API takes a PUT here and no patch: the newest object with the patch merged in, until no other write is faster. */
  async function finalize(kind: KindName, key: ObjectKey, patch: MergePatch, path: string): Promise<unknown> {
    for (;;) {
      const before = await connection.request("GET", pathOf(kind, key));
      try {
        return await connection.request("PUT", path, applyMergePatch(before, patch) as object);
      } catch (error) {
        const { resourceVersion } = (patch["metadata"] ?? {}) as { resourceVersion?: string };
        if (!isApiError(error, "Conflict") || resourceVersion !== undefined) throw error;
      }
    }
  }

  const client: Client = {
    get: async (kind, key) => (await get(kind, key)) as never,
    list: async (kind, scope = {}) => (await list(kind, scope)) as never,
    watch(kind, { since, ...scope }, sink) {
      const query = selectorQuery(scope);
      const path = pathOf(kind, scopeKey(scope));
      const event: typeof sink.event = ({ type, object }) =>
        sink.event({ type, object: trimmed(kind, object) } as WatchEvent<never>);
      const stop = watchRemotely({ connection, path, query, since, sink: { ...sink, event } });
      const end = () => {
        watches.delete(end);
        stop();
      };
      watches.add(end);
      return end;
    },
    create: async (kind, object, options) => {
      const { metadata } = object as KubeObject;
      const { namespace } = metadata;
      const path = pathOf(kind, namespace === undefined ? {} : { namespace }) + manager(options);
      return objectOf(await connection.request("POST", path, body(kind, object))) as never;
    },
    update: async (kind, object, options) => {
      const path = pathOf(kind, keyOf(object)) + manager(options);
      return objectOf(await connection.request("PUT", path, body(kind, object))) as never;
    },
    updateStatus: async (kind, object, options) => {
      const path = pathOf(kind, keyOf(object), "status") + manager(options);
      return objectOf(await connection.request("PUT", path, body(kind, object))) as never;
    },
    patch: async (kind, key, patch, options = {}) => {
      const path = pathOf(kind, key, options.subresource) + manager(options);
      if (options.subresource === "finalize") {
        return objectOf(await finalize(kind, key, patch, path)) as never;
      }
      const answer = await connection.request("PATCH", path, patch, mergePatchType);
      // The answer to a patch of the scale is the scale; callers want the object.
      return (options.subresource === "scale" ? await get(kind, key) : objectOf(answer)) as never;
    },
    delete: async (kind, key, options = {}) => {
      await connection.request("DELETE", pathOf(kind, key), options);
    },
  };
  return {
    ...client,
    async createToken(account, spec) {
      const path = pathOf("ServiceAccount", account, "token");
      const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec };
      const { status } = (await connection.request("POST", path, request)) as {
        status: { token: string; expirationTimestamp: string };
      };
      return { token: status.token, expiresAt: Date.parse(status.expirationTimestamp) };
    },
    close() {
      for (const end of watches) end();
      connection.close();
    },
  };
}

function scopeKey({ namespace }: Scope): Partial<ObjectKey> {
  return namespace === undefined ? {} : { namespace };
}

function selectorQuery({ labelSelector, fieldSelector }: Scope): URLSearchParams {
  return new URLSearchParams({
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  });
}
