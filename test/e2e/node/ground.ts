import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import type { Pod, PodSpec } from "#api/core/pod/kind.ts";
import { findCondition } from "#api/meta/condition.ts";
import type { KubeObject } from "#api/meta/object.ts";
import type { Client } from "#client/contract.ts";
import { createFakeClient } from "#client/fake.ts";
import { findProgram } from "#node/runtime/process/program.ts";
import {
  createTopology,
  inspectLeftovers,
  inspectPodLeftovers,
  removeAllPods,
  removeTopology,
  startNodes,
  type RunningNodes,
  type Topology,
} from "#node/start.ts";

/** Why nodes cannot run here, or `false`: the value for a test's `skip`. */
export function whyNoNodes(): string | false {
  if (process.getuid?.() !== 0) return "needs root";
  for (const program of ["ip", "runc", "conmon", "nsenter"])
    if (findProgram(program) === undefined) return `needs ${program}`;
  return false;
}

/** Asks until the answer is there; fails with `what` when it is not within ten seconds. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`not within ten seconds: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Local nodes over an API that is a plain map. */
export interface Ground {
  readonly client: Client;
  readonly topology: Topology;
  readonly dataDir: string;
  readonly socketPath: string;
  readonly nodes: RunningNodes;
  create(name: string, spec: Partial<PodSpec> & Pick<PodSpec, "containers">): Promise<Pod>;
  pod(name: string): Promise<Pod | undefined>;
  ready(name: string): Promise<Pod>;
  /** Asks for an end as the API server does: with a time, and a grace. */
  remove(name: string, graceSeconds: number): Promise<void>;
  /** Starts the agent anew on what is there. */
  restart(): Promise<void>;
  /** Removes everything; answers what is left all the same. */
  clear(): Promise<string[]>;
}

export async function openGround(clusterId: string, objects: readonly KubeObject[] = []): Promise<Ground> {
  const dataDir = mkdtempSync(join(tmpdir(), "fairlead-node-"));
  const socketPath = join(dataDir, "agent.sock");
  const topology = await createTopology({ clusterId, nodeCount: 2 });
  const client = createFakeClient(objects);
  const start = () =>
    startNodes({
      clientOf: () => client,
      topology,
      dataDir,
      socketPath,
      clusterDomain: "cluster.local",
      dnsAddress: "10.96.0.10",
      nodeBinary: process.execPath,
      log: silentLog,
      clock: systemClock,
    });
  let nodes = await start();
  const key = (name: string) => ({ namespace: "dev", name });
  const pod = (name: string) => client.get("Pod", key(name));
  return {
    client,
    topology,
    dataDir,
    socketPath,
    get nodes() {
      return nodes;
    },
    create: (name, spec) => client.create("Pod", { metadata: { ...key(name) }, spec: { nodeName: "node-1", ...spec } }),
    pod,
    ready: (name) =>
      until(`pod ${name} is ready`, async () => {
        const found = await pod(name);
        return findCondition(found?.status?.conditions, "Ready")?.status === "True" && found;
      }),
    async remove(name, graceSeconds) {
      const deletionTimestamp = new Date().toISOString();
      await client.patch("Pod", key(name), {
        metadata: { deletionTimestamp, deletionGracePeriodSeconds: graceSeconds, finalizers: ["test/stays"] },
      });
    },
    async restart() {
      await nodes.stop({ pods: "keep" });
      nodes = await start();
    },
    async clear() {
      await nodes.stop({ pods: "keep" });
      await removeAllPods(dataDir, clusterId);
      await removeTopology({ clusterId });
      const left = [...inspectPodLeftovers(dataDir, clusterId), ...inspectLeftovers({ clusterId })];
      rmSync(dataDir, { recursive: true, force: true });
      return left;
    },
  };
}

/** Runs a program and gives what it says. */
export function say(program: string, ...args: string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: "utf8", timeout: 10_000 });
  return `${stdout}${stderr}`;
}

export function curl(url: string): string {
  return say("curl", "--silent", "--show-error", "--max-time", "3", url);
}
