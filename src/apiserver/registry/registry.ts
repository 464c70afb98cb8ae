import type { Admission } from "#api/admission.ts";
import type { Claims } from "#api/claims.ts";
import type { KindDefinition } from "#api/kind.ts";
import { keyText, type KubeObject, type ObjectKey } from "#api/meta/object.ts";
import { ApiError } from "#api/meta/status.ts";
import type { KindName } from "#api/types.ts";
import { systemClock, type Clock } from "#base/clock.ts";
import { silentLog, type Log } from "#base/log.ts";
import type { DeleteOptions } from "#client/contract.ts";
import type { Store } from "#store/contract.ts";
import { applyObject, type Apply } from "./apply.ts";
import { StoreError } from "#store/error.ts";
import { createClaims } from "./claims.ts";
import { createObject } from "./create.ts";
import { deleteObject, type Deleted } from "./delete.ts";
import type { Item } from "./item.ts";
import { listItems, type ListQuery, type ListResult } from "./list.ts";
import { openCaches, type Caches } from "./load.ts";
import { openWebhooks } from "./review.ts";
import { startUpkeep } from "./upkeep.ts";
import { updateObject, type Update, type Updated } from "./update.ts";
import type { ReviewRequest } from "../webhooks/request.ts";
import { watchItems, type WatchQuery, type WatchTarget } from "./watch.ts";
import type { WriteBase, WriteContext } from "./write.ts";

/** Every kind's objects: what all faces of the API server (HTTP, local client) read and write through. */
export interface Registry {
  readonly definitions: readonly KindDefinition[];
  readonly clock: Clock;
  readonly claims: Claims;
  definition(kind: KindName): KindDefinition;
  /** The revision of the newest change that reads can see. */
  revision(): number;
  /** Resolves when `revision` can be read; rejects with `Timeout` after 3 s, as upstream does. */
  reached(revision: number): Promise<void>;
  /**
   * Resolves when reads show every change that was acknowledged before the call, by whichever server of this store. A
   * read that names no revision begins with it. Rejects with `ServiceUnavailable` or `Timeout`.
   */
  latest(): Promise<void>;
  get(kind: KindName, key: ObjectKey): Item | undefined;
  list(kind: KindName, query: ListQuery): ListResult;
  watch(kind: KindName, query: WatchQuery, target: WatchTarget): () => void;
  /** The object, in stored form, becomes the registry's own. */
  create(kind: KindName, object: KubeObject, context: WriteContext): Promise<Item>;
  update(update: Update, context: WriteContext): Promise<Updated>;
  /** Server-side apply. Rejects with a `Conflict` that names each field another manager holds. */
  apply(apply: Apply, context: WriteContext): Promise<Updated>;
  delete(kind: KindName, key: ObjectKey, options: DeleteOptions, context: WriteContext): Promise<Deleted>;
  /** Asks the validating webhooks about a request that writes nothing itself. Rejects with `ApiError`. */
  review(request: ReviewRequest): Promise<void>;
  /** Called once when the registry stops; nothing is followed from then on. */
  onStop(listener: () => void): () => void;
  stop(): void;
}

export interface RegistryOptions {
  store: Store;
  definitions: readonly KindDefinition[];
  admissions?: readonly Admission[];
  clock?: Clock;
  log?: Log;
}

const reachTimeoutMs = 3000;

/** Loads every kind from the store and follows it. */
export async function openRegistry(options: RegistryOptions): Promise<Registry> {
  const { store, definitions, admissions = [], clock = systemClock, log = silentLog } = options;
  const byKind = new Map(definitions.map((definition) => [definition.resource.kind, definition]));
  const caches = await openCaches({ store, definitions, clock, log });
  const definition = (kind: KindName) => {
    const found = byKind.get(kind);
    if (found === undefined) throw new ApiError("NotFound", `the server does not serve ${kind}`);
    return found;
  };
  const { cache, claims, remember } = caches;
  const latest = store.isShared ? () => newest(store, caches, clock) : () => here;
  const webhooks = openWebhooks(definitions, cache, log);
  const base: WriteBase = { store, clock, admissions, webhooks, definition, cache, claims, remember, latest };
  const stopListeners = new Set<() => void>();
  const stopUpkeep = startUpkeep({ base, definitions, revision: caches.revision, clock, log });

  return {
    definitions,
    clock,
    claims: createClaims(base),
    definition,
    revision: caches.revision,
    reached: (revision) => reached(caches, clock, revision),
    latest,
    get: (kind, key) => caches.cache(kind).get(keyText(key)),
    list: (kind, query) => listItems(definition(kind), caches.cache(kind), caches.revision(), query),
    watch: (kind, query, target) => watchItems(definition(kind), caches.cache(kind), caches.revision(), query, target),
    async create(kind, object, context) {
      await latest();
      return createObject(base, kind, object, context);
    },
    async update(update, context) {
      await latest();
      return updateObject(base, update, context);
    },
    async apply(apply, context) {
      await latest();
      return applyObject(base, apply, context);
    },
    async delete(kind, key, options, context) {
      await latest();
      return deleteObject(base, kind, key, options, context);
    },
    async review(request) {
      if (webhooks?.isNeeded === true) await webhooks.review(request);
    },
    onStop(listener) {
      stopListeners.add(listener);
      return () => stopListeners.delete(listener);
    },
    stop() {
      stopUpkeep();
      caches.stop();
      for (const listener of stopListeners) listener();
      stopListeners.clear();
    },
  };
}

/** The only writer sees all that it has written. */
const here = Promise.resolve();

async function newest(store: Store, caches: Caches, clock: Clock): Promise<void> {
  let revision: number;
  try {
    revision = await store.revision();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new ApiError("ServiceUnavailable", error.message, { retryAfterSeconds: 1 });
  }
  await reached(caches, clock, revision);
}

function reached({ revision, onRevision }: Caches, clock: Clock, asked: number): Promise<void> {
  if (revision() >= asked) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const stop = onRevision(() => {
      if (revision() < asked) return;
      stop();
      cancel();
      resolve();
    });
    const cancel = clock.after(reachTimeoutMs, () => {
      stop();
      const message = `Timeout: Too large resource version: ${asked}, current: ${revision()}`;
      const causes = [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }];
      reject(new ApiError("Timeout", message, { causes, retryAfterSeconds: 1 }));
    });
  });
}
