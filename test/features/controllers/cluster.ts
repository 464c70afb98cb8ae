import { setImmediate } from "node:timers/promises";
import { rfc3339, systemClock, type Clock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import type { Deployment } from "#api/apps/deployment/kind.ts";
import type { Node } from "#api/core/node/kind.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import type { Service, ServiceSpec } from "#api/core/service/kind.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { isApiError } from "#api/meta/status.ts";
import type { Client } from "#client/contract.ts";
import { createFakeClient } from "#client/fake.ts";
import { startControllers, type RunningControllers } from "#controllers/start.ts";

/** All controllers over a fake client; pods do what the test says. */
export interface TestCluster extends AsyncDisposable {
  readonly client: Client;
  readonly controllers: RunningControllers;
  /** Resolves when no controller works and nothing was written meanwhile. */
  settle(): Promise<void>;
  /** As a node's agent would: the pod has an address and is ready or not. */
  setReady(pod: Pod, ready: boolean): Promise<void>;
  pods(labelSelector?: string): Promise<readonly Pod[]>;
}

export async function startCluster(
  objects: readonly KubeObject[] = [],
  { clock = systemClock, client = createFakeClient(objects, clock) }: { clock?: Clock; client?: Client } = {},
): Promise<TestCluster> {
  const controllers = await startControllers({
    client,
    log: silentLog,
    clock,
    caBundle: "PEM",
    issueToken: ({ account, secret }) => `${account.metadata.name}'s by ${secret.metadata.uid}`,
    clusterDomain: "cluster.local",
  });
  const revision = async () => (await client.list("Lease")).resourceVersion;
  let addresses = 0;
  const cluster: TestCluster = {
    client,
    controllers,
    async settle() {
      // Writes of a real store take a few turns of the loop to show.
      for (let still = 0, before = ""; still < 3; still += 1) {
        await controllers.idle();
        await setImmediate();
        const now = await revision();
        if (now !== before) still = -1;
        before = now;
      }
    },
    async setReady(pod, ready) {
      addresses += 1;
      const podIP = pod.status?.podIP ?? `10.244.${Math.floor(addresses / 250)}.${(addresses % 250) + 1}`;
      const status = ready ? ("True" as const) : ("False" as const);
      const condition = { type: "Ready", status, lastTransitionTime: rfc3339(clock.now()) };
      const patch = { status: { phase: "Running", podIP, podIPs: [{ ip: podIP }], conditions: [condition] } };
      try {
        await client.patch("Pod", pod.metadata, patch, { subresource: "status" });
      } catch (error) {
        // The pod may be gone since it was listed.
        if (!isApiError(error, "NotFound")) throw error;
      }
    },
    pods: async (labelSelector) => (await client.list("Pod", labelSelector ? { labelSelector } : {})).items,
    async [Symbol.asyncDispose]() {
      await controllers.stop();
    },
  };
  await cluster.settle();
  return cluster;
}

export function namespace(name: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name },
    spec: { finalizers: ["kubernetes"] },
  } as KubeObject;
}

export function node(name: string, spec: Node["spec"] = {}): Node {
  const conditions = [{ type: "Ready", status: "True" as const }];
  return { apiVersion: "v1", kind: "Node", metadata: { name }, spec, status: { conditions } };
}

export const threeNodes = ["node-1", "node-2", "node-3"].map((name) => node(name));

export function deployment(name: string, spec: Partial<Deployment["spec"]> = {}, image = "web:1"): Deployment {
  const labels = { app: name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: "dev", generation: 1 },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "web", image }] } },
      progressDeadlineSeconds: 600,
      ...spec,
    },
  };
}

export function service(name: string, spec: Partial<ServiceSpec> = {}): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "dev" },
    spec: { type: "ClusterIP", selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }], ...spec },
  };
}

export function pod(
  name: string,
  parts: { app?: string; spec?: Partial<Pod["spec"]>; status?: Pod["status"] } = {},
): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "dev", labels: { app: parts.app ?? "web" } },
    spec: { containers: [{ name: "web", image: "web:1" }], ...parts.spec },
    ...(parts.status && { status: parts.status }),
  };
}

/** A merge patch that changes the image of a Deployment. */
export function imagePatch(image: string) {
  return { spec: { template: { spec: { containers: [{ name: "web", image }] } } } };
}
