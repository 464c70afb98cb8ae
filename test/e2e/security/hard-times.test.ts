import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import { eventually, run, startCluster, whyNoCluster, type TestCluster } from "../cluster.ts";

const program = join(import.meta.dirname, "../../../bin/fairlead.ts");

/** A folder for one test's cluster; what the test leaves there when it fails is gone before the next one begins. */
function folder(context: TestContext): string {
  const dataDir = mkdtempSync(join(tmpdir(), "fairlead-hard-"));
  context.after(() => run(process.execPath, [program, "down", "--purge", "--data-dir", dataDir]));
  return dataDir;
}

const agentOf = (cluster: TestCluster) =>
  run("pgrep", ["-f", "fairlead.ts agent", "-P", String(cluster.pid)]).stdout.trim();

function deployment(replicas: number, mark: number): string {
  const container = {
    name: "main",
    image: "busybox",
    command: ["sleep", "600"],
    env: [{ name: "MARK", value: `${mark}` }],
  };
  return JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "moving" },
    spec: {
      replicas,
      selector: { matchLabels: { app: "moving" } },
      template: {
        metadata: { labels: { app: "moving" } },
        spec: { terminationGracePeriodSeconds: 0, containers: [container] },
      },
    },
  });
}

/** What a folder of the cluster's own holds. */
const held = (cluster: TestCluster, name: string) => readdirSync(join(cluster.dataDir, "nodes", name)).sort();

describe("hard times", { skip: whyNoCluster() }, () => {
  test("killed at any moment while pods come and go, it goes on, and nothing is lost or left", async (context) => {
    const dataDir = folder(context);
    for (let round = 0; round < 6; round += 1) {
      const cluster = await startCluster({ dataDir, args: ["--nodes", "2", "--wait", "none"] });
      cluster.kubectlWith(deployment(2 + (round % 3), round), "apply", "-f", "-");
      // Each round hits another moment of making and removing.
      await setTimeout(60 + round * 110);
      if (round % 2 === 0) spawnSync("kill", ["-9", agentOf(cluster)]);
      await cluster.kill();
    }
    const cluster = await startCluster({ dataDir, args: ["--nodes", "2", "--wait", "none"] });
    cluster.kubectlWith(deployment(3, 99), "apply", "-f", "-");
    cluster.kubectl("rollout", "status", "deployment/moving", "--timeout=40s");
    await eventually(
      () => assert.equal(cluster.kubectl("get", "pod", "--no-headers").trim().split("\n").length, 3),
      30_000,
    );
    await eventually(() => {
      const containers = held(cluster, "containers");
      assert.equal(containers.length, 3);
      assert.deepEqual(held(cluster, "exits"), []);
      const sandboxes = held(cluster, "sandboxes").map((name) => basename(name, ".json"));
      assert.equal(sandboxes.length, 3);
      assert.equal(held(cluster, "pods").length, 3);
      const shims = run("pgrep", ["-f", `exit-dir ${cluster.dataDir}`])
        .stdout.trim()
        .split("\n");
      assert.equal(shims.length, 3);
      const namespaces = readdirSync("/run/netns").filter((name) => sandboxes.some((id) => name.endsWith(`p-${id}`)));
      assert.equal(namespaces.length, readdirSync("/run/netns").filter((name) => /-p-/.test(name)).length);
      const socketFolder = readdirSync("/run").find((name) => name.startsWith("fairlead-")) ?? "";
      assert.deepEqual(readdirSync(`/run/${socketFolder}/conmon`).sort(), containers);
    });
    await cluster.purge();
    assert.deepEqual(readdirSync("/run/netns"), []);
    assert.doesNotMatch(run("cat", ["/proc/self/mounts"]).stdout, new RegExp(basename(dataDir)));
  });

  test("Ctrl-C while it takes over from one that was killed leaves no pod behind", async (context) => {
    const dataDir = folder(context);
    const first = await startCluster({ dataDir, args: ["--nodes", "1", "--wait", "none"] });
    first.kubectlWith(deployment(2, 1), "apply", "-f", "-");
    first.kubectl("rollout", "status", "deployment/moving", "--timeout=40s");
    await first.kill();
    for (const wait of [0, 150, 400]) {
      const child = spawn(process.execPath, [program, "up", "--data-dir", dataDir, "--nodes", "1", "--json"]);
      await new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
      await setTimeout(wait);
      const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      child.kill("SIGINT");
      await ended;
      assert.equal(run("pgrep", ["-f", `exit-dir ${dataDir}`]).stdout, "");
      assert.deepEqual(readdirSync("/run/netns"), []);
      if (wait === 400) break;
      const again = await startCluster({ dataDir, args: ["--nodes", "1", "--wait", "served"] });
      await again.kill();
    }
    await first.purge();
  });

  test("of several that are started at once in one folder one runs, and the others leave it alone", async (context) => {
    const dataDir = folder(context);
    const ups = Array.from({ length: 3 }, () => {
      const child = spawn(process.execPath, [program, "up", "--data-dir", dataDir, "--nodes", "1", "--json"]);
      let output = "";
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", (text) => (output += text));
      const exit = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
      return { child, exit, output: () => output };
    });
    await eventually(
      () => assert.equal(ups.filter(({ output }) => output().includes('"type":"ready"')).length, 1),
      30_000,
    );
    const losers = ups.filter(({ output }) => !output().includes('"type":"ready"'));
    for (const { exit, output } of losers) {
      assert.equal(await exit, 1);
      assert.match(output(), /a cluster already runs from/);
    }
    assert.match(run(process.execPath, [program, "status", "--data-dir", dataDir]).stdout, / runs \(process \d+\)/);
    const down = run(process.execPath, [program, "down", "--purge", "--data-dir", dataDir]);
    assert.equal(down.status, 0, down.stdout + down.stderr);
    for (const { exit } of ups) await exit;
  });

  test("a full disk refuses writes with a reason, ends nothing, and is forgotten when there is space", async (context) => {
    const disk = folder(context);
    assert.equal(run("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", disk]).status, 0);
    const cluster = await startCluster({ dataDir: join(disk, "data"), args: ["--nodes", "1"] });
    const agent = agentOf(cluster);
    try {
      run("dd", ["if=/dev/zero", `of=${disk}/filler`, "bs=4k"]);
      const value = `--from-literal=a=${"x".repeat(40_000)}`;
      const refused = [1, 2, 3].map((index) => cluster.tryKubectl("create", "configmap", `full-${index}`, value));
      assert.ok(refused.every(({ status }) => status !== 0));
      assert.match(refused[2]?.stderr ?? "", /no space left, the change was not made: free space and try again/);
      assert.equal(cluster.tryKubectl("get", "configmap").status, 0);
      await setTimeout(1_500);
      rmSync(join(disk, "filler"));
      cluster.kubectl("create", "configmap", "after", value);
      cluster.kubectl("run", "after", "--image=busybox", "--", "sleep", "600");
      cluster.kubectl("wait", "--for=condition=Ready", "pod/after", "--timeout=20s");
      assert.equal(agentOf(cluster), agent);
    } finally {
      await cluster.purge();
      run("umount", [disk]);
    }
  });
});
