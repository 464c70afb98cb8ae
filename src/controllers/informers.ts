import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { controllerOf, type KubeObject } from "#api/meta/object.ts";
import type { KindName, KindTypes } from "#api/types.ts";
import { resources } from "#api/resources.ts";
import type { Client } from "#client/contract.ts";
import { startInformer, type Informer } from "#client/informer.ts";

/** Kinds that no controller reads continuously; they are listed when needed. */
const unwatched: ReadonlySet<KindName> = new Set<KindName>(["Event"]);

/**
 * One copy of each kind for all controllers. Indexes: `namespace`, `owner` (uid of each owner reference) on every kind,
 * `node` (`spec.nodeName`, empty while unassigned) on Pods, `service` (`namespace/name` of the service-name label) on
 * EndpointSlices, `orphan` (the namespace of those without a controlling owner) and `label` (every pair of labels, as
 * `pairsOf` writes them) on Pods, `orphan` on ReplicaSets too, `selector` (one pair of the selector) on Services.
 */
export interface ControllerInformers {
  of<K extends WatchedKind>(kind: K): Informer<KindTypes[K]>;
  readonly kinds: readonly WatchedKind[];
  /** Resolves when every kind has been listed once. */
  readonly synced: Promise<void>;
  stop(): void;
}

export type WatchedKind = Exclude<KindName, "Event">;

type Index = (object: KubeObject) => readonly string[];

const sharedIndexes: Readonly<Record<string, Index>> = {
  namespace: ({ metadata }) => (metadata.namespace === undefined ? [] : [metadata.namespace]),
  owner: ({ metadata }) => (metadata.ownerReferences ?? []).map(({ uid }) => uid),
};

const orphan: Index = (object) => (controllerOf(object) === undefined ? [object.metadata.namespace ?? ""] : []);

const ownIndexes: Partial<Record<KindName, Readonly<Record<string, Index>>>> = {
  Pod: {
    node: (pod) => [(pod as KindTypes["Pod"]).spec.nodeName ?? ""],
    orphan,
    label: ({ metadata }) => pairsOf(metadata.namespace, metadata.labels),
  },
  ReplicaSet: { orphan },
  Service: {
    selector: (service) =>
      pairsOf(service.metadata.namespace, (service as KindTypes["Service"]).spec.selector).slice(0, 1),
  },
  EndpointSlice: {
    service: ({ metadata }) => {
      const name = metadata.labels?.["kubernetes.io/service-name"];
      return name === undefined ? [] : [`${metadata.namespace}/${name}`];
    },
  },
};

/** Pairs of labels as the indexes `label` and `selector` have them: `dev/app=web`. */
export function pairsOf(namespace: string | undefined, labels: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(labels).map(([key, value]) => `${namespace ?? ""}/${key}=${value}`);
}

const watched = (Object.keys(resources) as KindName[]).filter((kind) => !unwatched.has(kind)) as WatchedKind[];

/** Follows all kinds, or some. */
export function startInformers(
  client: Client,
  { log, clock }: { log: Log; clock: Clock },
  kinds: readonly WatchedKind[] = watched,
): ControllerInformers {
  const started = new Map<KindName, Informer<unknown>>();
  for (const kind of kinds) {
    const indexes = { ...sharedIndexes, ...ownIndexes[kind] };
    started.set(kind, startInformer(client, kind, { indexes, log, clock }));
  }
  return {
    of: (kind) => {
      const informer = started.get(kind);
      if (informer === undefined) throw new Error(`no informer follows the kind ${kind}`);
      return informer as Informer<never>;
    },
    kinds,
    synced: Promise.all([...started.values()].map(({ synced }) => synced)).then(() => {}),
    stop() {
      for (const informer of started.values()) informer.stop();
    },
  };
}

/** Whether a copy has seen everything up to `resourceVersion`; revisions are numbers that grow (etcd's, and ours). */
export function hasSeen(informer: Informer<unknown>, resourceVersion: string | undefined): boolean {
  return resourceVersion === undefined || Number(informer.revision()) >= Number(resourceVersion);
}
