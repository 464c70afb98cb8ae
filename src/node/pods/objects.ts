import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { ConfigMap } from "#api/core/configmap/kind.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import { referencesOf } from "#api/core/pod/references.ts";
import type { Secret } from "#api/core/secret/kind.ts";
import type { Client } from "#client/contract.ts";
import { startInformer, type Informer } from "#client/informer.ts";

/** The Secrets and ConfigMaps that the pods of one node name, each followed for as long as a pod names it. */
export interface PodObjects {
  configMap(namespace: string, name: string): ConfigMap | undefined;
  secret(namespace: string, name: string): Secret | undefined;
  /** Resolves when it is known of all that the pod names whether it is there. */
  known(pod: Pod): Promise<void>;
  stop(): void;
}

export interface PodObjectsOptions {
  /** Of the node: it may read what its pods name, one by one, and no more. */
  readonly client: Client;
  readonly pods: Informer<Pod>;
  /** An object that was known already has changed, come or gone. */
  readonly changed: (namespace: string) => void;
  readonly clock: Clock;
  readonly log: Log;
}

interface Followed {
  readonly informer: Informer<Secret | ConfigMap>;
  /** The pods that name it, by uid. */
  readonly users: Set<string>;
}

export function followPodObjects({ client, pods, changed, clock, log }: PodObjectsOptions): PodObjects {
  const followed = new Map<string, Followed>();
  const named = new Map<string, readonly string[]>();

  function follow(kind: "Secret" | "ConfigMap", namespace: string, name: string): Followed {
    const scope = { namespace, fieldSelector: `metadata.name=${name}` };
    const informer: Informer<Secret | ConfigMap> = startInformer(client, kind, { scope, clock, log });
    informer.onChange(() => {
      if (informer.isSynced()) changed(namespace);
    });
    return { informer, users: new Set() };
  }

  function want(pod: Pod): void {
    const { uid = "", namespace = "" } = pod.metadata;
    const keys = referencesOf(pod).map(({ kind, name }) => {
      const key = `${kind}/${namespace}/${name}`;
      const found = followed.get(key) ?? follow(kind, namespace, name);
      followed.set(key, found);
      found.users.add(uid);
      return key;
    });
    const before = named.get(uid) ?? [];
    named.set(uid, keys);
    for (const key of before) if (!keys.includes(key)) drop(key, uid);
  }

  function drop(key: string, uid: string): void {
    const found = followed.get(key);
    found?.users.delete(uid);
    if (found === undefined || found.users.size > 0) return;
    found.informer.stop();
    followed.delete(key);
  }

  function release({ metadata: { uid = "" } }: Pod): void {
    for (const key of named.get(uid) ?? []) drop(key, uid);
    named.delete(uid);
  }

  const stopPods = pods.onChange(({ before, after }) => {
    if (after !== undefined) want(after);
    if (before !== undefined && before.metadata.uid !== after?.metadata.uid) release(before);
  });

  const find = (kind: "Secret" | "ConfigMap", namespace: string, name: string) =>
    followed.get(`${kind}/${namespace}/${name}`)?.informer.get(`${namespace}/${name}`);

  return {
    configMap: (namespace, name) => find("ConfigMap", namespace, name) as ConfigMap | undefined,
    secret: (namespace, name) => find("Secret", namespace, name) as Secret | undefined,
    async known({ metadata: { uid = "" } }) {
      const informers = (named.get(uid) ?? []).flatMap((key) => followed.get(key)?.informer ?? []);
      await Promise.all(informers.map(({ synced }) => synced));
    },
    stop() {
      stopPods();
      for (const { informer } of followed.values()) informer.stop();
    },
  };
}
