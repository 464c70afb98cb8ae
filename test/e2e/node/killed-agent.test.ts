import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import type { Pod, PodSpec, PodStatus } from "#api/core/pod/kind.ts";
import { inspectLeftovers, inspectPodLeftovers, removeAllPods, removeTopology } from "#node/start.ts";
import { findProgram } from "#node/runtime/process/program.ts";
import { say, until, whyNoNodes } from "./ground.ts";

const clusterId = "kil1";

const pod = (name: string, spec: PodSpec): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "dev", uid: `uid-${name}` },
  spec: { nodeName: "node-1", ...spec },
});
const script = (text: string) => ({ name: "c", image: "busybox", command: ["sh", "-c", text] });
const objects = [
  pod("stays", { containers: [script("while :; do echo alive; sleep 0.1; done")] }),
  pod("ends", { restartPolicy: "Never", containers: [script("while [ ! -e /e/end ]; do sleep 0.05; done; exit 6")] }),
];

describe("an agent that is killed", { skip: whyNoNodes() }, () => {
  const dataDir = mkdtempSync(join(tmpdir(), "fairlead-killed-"));
  const shared = mkdtempSync(join(tmpdir(), "fairlead-shared-"));
  const agents: ChildProcess[] = [];
  const statuses = new Map<string, PodStatus>();

  function startAgent(pods: readonly Pod[]): ChildProcess {
    const program = join(import.meta.dirname, "agent.ts");
    const args = [program, clusterId, dataDir, JSON.stringify(pods)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    agents.push(child);
    createInterface({ input: child.stdout }).on("line", (line) => {
      const { name, status } = JSON.parse(line) as { name: string; status?: PodStatus };
      if (status !== undefined) statuses.set(name, status);
    });
    return child;
  }
  const kill = async (child: ChildProcess) => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };

  before(() => {
    const [, ends] = objects;
    Object.assign(ends?.spec.containers[0] ?? {}, { volumeMounts: [{ name: "e", mountPath: "/e" }] });
    Object.assign(ends?.spec ?? {}, { volumes: [{ name: "e", hostPath: { path: shared } }] });
  });
  after(async () => {
    for (const agent of agents) agent.kill("SIGKILL");
    await removeAllPods(dataDir, clusterId);
    await removeTopology({ clusterId });
    rmSync(dataDir, { recursive: true, force: true });
    rmSync(shared, { recursive: true, force: true });
  });

  test("its pods run on, their logs grow, and the next agent takes them over", async () => {
    const first = startAgent(objects);
    await until("both run", () => ["stays", "ends"].every((name) => statuses.get(name)?.phase === "Running"));
    const { containerID = "" } = statuses.get("stays")?.containerStatuses?.[0] ?? {};
    await kill(first);
    const log = join(dataDir, "containers", containerID.replace("fairlead://", ""), "log");
    const size = readFileSync(log).length;
    await until("the log has grown", () => readFileSync(log).length > size);

    // One ends while nobody looks.
    appendFileSync(join(shared, "end"), "");
    await until("it has ended", () => !say("ps", "ax").includes("/e/end"));
    statuses.clear();
    const second = startAgent(objects);
    await until("the end is told", () => statuses.get("ends")?.phase === "Failed");
    assert.equal(statuses.get("ends")?.containerStatuses?.[0]?.state?.terminated?.exitCode, 6);
    await until("the other is told", () => statuses.get("stays")?.phase === "Running");
    const container = statuses.get("stays")?.containerStatuses?.[0];
    assert.deepEqual([container?.containerID, container?.restartCount], [containerID, 0]);
    await kill(second);
  });

  test("what was deleted meanwhile is removed, and so is what has no record", async () => {
    say("ip", "netns", "add", `fl-${clusterId}-p-orphan`);
    mkdirSync(join(dataDir, "containers/orphan"));
    mkdirSync(join(dataDir, "pods/orphan"));
    const third = startAgent([objects[0] as Pod]);
    await until("only one pod is left", () => {
      const left = inspectPodLeftovers(dataDir, clusterId);
      return (
        left.filter((text) => text.startsWith("pod ")).join() === "pod dev/stays" &&
        !left.join().includes("orphan") &&
        readdirSync(join(dataDir, "pods")).join() === "uid-stays"
      );
    });
    await kill(third);
  });

  test("containers whose network is gone start again in a new one", async () => {
    const [, netns = ""] =
      /network namespace (\S+-p-\S+)/.exec(inspectPodLeftovers(dataDir, clusterId).join("\n")) ?? [];
    say("ip", "netns", "del", netns);
    statuses.clear();
    const fourth = startAgent([objects[0] as Pod]);
    await until("it was restarted", () => {
      const [container] = statuses.get("stays")?.containerStatuses ?? [];
      return container?.restartCount === 1 && container.state?.running !== undefined;
    });
    assert.match(say("ping", "-c1", "-W2", statuses.get("stays")?.podIP ?? ""), / 1 received/);
    await kill(fourth);
  });

  test("killed again and again while it makes pods, it makes each of them once", async () => {
    await removeAllPods(dataDir, clusterId);
    const names = ["one", "two", "three", "four"];
    const pods = names.map((name) => pod(name, { containers: [script("sleep 100")] }));
    const made = () => existsSync(join(dataDir, "containers")) && readdirSync(join(dataDir, "containers")).length;
    for (const count of [1, 2, 3, 4]) {
      const agent = startAgent(pods);
      await until(`${count} containers are begun`, () => Number(made()) >= count);
      await kill(agent);
    }
    statuses.clear();
    const last = startAgent(pods);
    await until("all run", () => names.every((name) => statuses.get(name)?.phase === "Running"));
    for (const name of names) assert.equal(statuses.get(name)?.containerStatuses?.[0]?.restartCount, 0, name);
    // What the killed ones had begun is being removed while the last one works.
    await until("there is one of each", () => {
      const left = inspectPodLeftovers(dataDir, clusterId);
      const kinds = ["pod ", "container ", "network namespace ", "mount ", "process "];
      return kinds.every((kind) => left.filter((text) => text.startsWith(kind)).length === names.length);
    });
    await kill(last);
  });

  test("a container that is still being made when the agent is killed is not made after all", async () => {
    await removeAllPods(dataDir, clusterId);
    const [real = "", slow, copy] = [findProgram("runc"), join(shared, "slow"), join(shared, "runc")];
    copyFileSync(real, copy);
    const lines = ["#!/bin/sh", `case "$*" in *create*) touch ${shared}/begun; sleep 100;; esac`, `exec ${copy} "$@"`];
    writeFileSync(slow, lines.join("\n"), { mode: 0o755 });
    say("mount", "--bind", slow, real);
    try {
      const first = startAgent([objects[0] as Pod]);
      await until("runc is at work", () => existsSync(join(shared, "begun")));
      await kill(first);
    } finally {
      say("umount", real);
    }
    const second = startAgent([]);
    await until("nothing is left", () => inspectPodLeftovers(dataDir, clusterId).join() === "");
    await kill(second);
  });

  test("without an agent everything can be removed from what is on disk", async () => {
    await removeAllPods(dataDir, clusterId);
    await removeTopology({ clusterId });
    assert.deepEqual([...inspectPodLeftovers(dataDir, clusterId), ...inspectLeftovers({ clusterId })], []);
    assert.doesNotMatch(say("ps", "ax"), /conmon/);
    await removeAllPods(dataDir, clusterId);
  });
});
