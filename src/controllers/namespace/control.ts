import { rfc3339 } from "#base/clock.ts";
import type { Namespace } from "#api/core/namespace/kind.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { isApiError } from "#api/meta/status.ts";
import { resources } from "#api/resources.ts";
import type { KindName } from "#api/types.ts";
import { createLoop, runningLoop, type ControllerContext, type RunningController } from "../controller.ts";
import { compileStatusPatch } from "../status-patch.ts";
import { compileNamespaceConditions } from "./conditions.ts";

const rootCaName = "kube-root-ca.crt";
const rootCaNote =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

/** The kinds a namespace may hold; Events last, since deleting the others may still write some. */
const contentKinds: readonly KindName[] = (Object.keys(resources) as KindName[])
  .filter((kind) => resources[kind].namespaced)
  .sort((a, b) => Number(a === "Event") - Number(b === "Event"));

/** Furnishes new namespaces and clears those that are deleted. `caBundle` is PEM; without it no ConfigMap is written. */
export function startNamespaces(context: ControllerContext, caBundle: string | undefined): RunningController {
  const { client, informers, clock } = context;
  const namespaces = informers.of("Namespace");
  const accounts = informers.of("ServiceAccount");
  const configMaps = informers.of("ConfigMap");

  async function reconcile(name: string): Promise<void> {
    const namespace = namespaces.get(name);
    if (namespace === undefined) return;
    if (namespace.metadata.deletionTimestamp !== undefined) await clear(namespace);
    else await Promise.all([furnishAccount(name), furnishRootCa(name)]);
  }

  async function furnishAccount(namespace: string): Promise<void> {
    if (accounts.get(`${namespace}/default`) !== undefined) return;
    await unlessExists(client.create("ServiceAccount", { metadata: { name: "default", namespace } }));
  }

  async function furnishRootCa(namespace: string): Promise<void> {
    if (caBundle === undefined) return;
    const data = { "ca.crt": caBundle };
    const before = configMaps.get(`${namespace}/${rootCaName}`);
    if (before === undefined) {
      const annotations = { "kubernetes.io/description": rootCaNote };
      await unlessExists(client.create("ConfigMap", { metadata: { name: rootCaName, namespace, annotations }, data }));
    } else if (before.data?.["ca.crt"] !== caBundle) {
      await client.patch("ConfigMap", before.metadata, { data });
    }
  }

  async function clear(namespace: Namespace): Promise<void> {
    const { name } = namespace.metadata;
    let failure: string | undefined;
    const remaining = new Map<KindName, readonly KubeObject[]>();
    for (const kind of contentKinds) {
      const { items } = await client.list(kind, { namespace: name });
      const results = await Promise.all(items.map((object) => deleteObject(kind, object)));
      failure ??= results.find((result) => result !== undefined);
      if (items.length > 0) remaining.set(kind, (await client.list(kind, { namespace: name })).items);
    }
    const now = rfc3339(clock.now());
    const conditions = compileNamespaceConditions(namespace.status?.conditions, { remaining, failure, now });
    const patch = compileStatusPatch(namespace.status, { ...namespace.status, phase: "Terminating", conditions });
    const left = [...remaining.values()].some((objects) => objects.length > 0);
    if (left && patch !== undefined) await write(namespace, patch, "status");
    if (failure !== undefined) throw new Error(failure);
    // What is left goes when its finalizers or its grace end; its removal brings the namespace back.
    if (left) return queue.addAfter(name, 5000);
    const finalizers = (namespace.spec?.finalizers ?? []).filter((each) => each !== "kubernetes");
    await write(namespace, { spec: { finalizers } }, "finalize");
  }

  async function write(
    namespace: Namespace,
    patch: Record<string, unknown>,
    subresource: "status" | "finalize",
  ): Promise<void> {
    try {
      await client.patch("Namespace", namespace.metadata, patch, { subresource });
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
  }

  async function deleteObject(kind: KindName, object: KubeObject): Promise<string | undefined> {
    if (object.metadata.deletionTimestamp !== undefined) return undefined;
    try {
      await client.delete(kind, object.metadata, { propagationPolicy: "Background" });
      return undefined;
    } catch (error) {
      if (isApiError(error, "NotFound", "Conflict")) return undefined;
      return error instanceof Error ? error.message : String(error);
    }
  }

  const queue = createLoop(context, { name: "namespace", reconcile });
  const contents = informers.kinds.filter((kind) => resources[kind].namespaced);
  return runningLoop(queue, [
    namespaces.onChange(({ after }) => after && queue.add(after.metadata.name)),
    ...contents.map((kind) =>
      informers.of(kind).onChange(({ type, before, after }) => {
        const { namespace = "", name } = (after ?? before).metadata;
        const furniture =
          (kind === "ServiceAccount" && name === "default") || (kind === "ConfigMap" && name === rootCaName);
        const going = namespaces.get(namespace)?.metadata.deletionTimestamp !== undefined;
        if ((type === "removed" && (furniture || going)) || (type === "changed" && furniture)) queue.add(namespace);
      }),
    ),
  ]);
}

async function unlessExists(creation: Promise<KubeObject>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    const goingAway = isApiError(error, "Forbidden") || isApiError(error, "NotFound");
    if (!isApiError(error, "AlreadyExists") && !goingAway) throw error;
  }
}
