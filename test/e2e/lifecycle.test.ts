import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { findProgram } from "#roles/packages.ts";
import {
  curl,
  curlStatus,
  eventually,
  manifestFile,
  run,
  startCluster,
  whyNoCluster,
  withCluster,
  type Outcome,
} from "./cluster.ts";

const repository = join(import.meta.dirname, "../..");
const program = join(repository, "bin/fairlead.ts");
const quickstart = join(import.meta.dirname, "../../examples/quickstart");
const fairlead = (...args: string[]): Outcome => run(process.execPath, [program, ...args]);
const folder = () => mkdtempSync(join(tmpdir(), "fairlead-life-"));

describe("the life of a cluster", { skip: whyNoCluster() }, () => {
  test("up after kill -9 finds its state, its pods and its addresses, and goes on", async () => {
    const first = await startCluster({ manifests: [quickstart] });
    const pods = first.kubectl(
      "get",
      "pod",
      "-o=jsonpath={range .items[*]}{.metadata.uid} {.status.podIP} {.status.containerStatuses[0].containerID}{'\\n'}{end}",
    );
    const address = first.kubectl("get", "svc", "hello", "-o=jsonpath={.spec.clusterIP}");
    await first.kill();
    assert.equal(fairlead("status", "--data-dir", first.dataDir).status, 3);
    assert.match(fairlead("status", "--data-dir", first.dataDir).stdout, /was killed/);
    const second = await startCluster({ dataDir: first.dataDir });
    assert.equal(
      second.kubectl(
        "get",
        "pod",
        "-o=jsonpath={range .items[*]}{.metadata.uid} {.status.podIP} {.status.containerStatuses[0].containerID}{'\\n'}{end}",
      ),
      pods,
    );
    assert.equal(second.kubectl("get", "svc", "hello", "-o=jsonpath={.spec.clusterIP}"), address);
    await eventually(() => assert.match(curl(`http://${address}`), /^Hostname: hello-/));
    await second.purge();
  });

  test("connections through node ports and between pods go on while the program is dead", async () => {
    await withCluster({ manifests: [quickstart] }, async (cluster) => {
      await cluster.kill();
      assert.match(curl("http://172.30.0.12:30080"), /^Hostname: hello-/);
    });
  });

  test("an agent that is killed is started again, said once, and nothing of the pods is lost", async () => {
    await withCluster({ manifests: [quickstart] }, async (cluster) => {
      const agent = run("pgrep", ["-f", "fairlead.ts agent", "-P", String(cluster.pid)]).stdout.trim();
      run("kill", ["-9", agent]);
      await eventually(() => assert.equal(cluster.events.filter(({ type }) => type === "warning").length, 1));
      assert.match(curl("http://172.30.0.12:30080"), /^Hostname: hello-/);
      cluster.kubectl("scale", "deployment/hello", "--replicas=4");
      cluster.kubectl("rollout", "status", "deployment/hello", "--timeout=30s");
      const restarts = cluster.kubectl(
        "get",
        "pod",
        "-o=jsonpath={.items[*].status.containerStatuses[0].restartCount}",
      );
      assert.equal(restarts, "0 0 0 0");
    });
  });

  test("down keeps the objects, up goes on with them, and down --purge leaves nothing", async () => {
    const first = await startCluster({ manifests: [quickstart] });
    const outcome = fairlead("down", "--data-dir", first.dataDir);
    assert.equal(outcome.status, 0, outcome.stderr);
    assert.match(outcome.stdout, /the objects stay/);
    assert.deepEqual(leftovers(first.dataDir), []);
    const second = await startCluster({ dataDir: first.dataDir });
    await eventually(() => assert.match(curl("http://172.30.0.11:30080"), /^Hostname: hello-/));
    await second.purge();
    assert.deepEqual(leftovers(first.dataDir), []);
  });

  test("Ctrl-C stops cleanly", async () => {
    await withCluster({ manifests: [quickstart] }, async (cluster) => {
      process.kill(cluster.pid, "SIGINT");
      await eventually(
        () => assert.match(fairlead("status", "--data-dir", cluster.dataDir).stdout, /is stopped/),
        30_000,
      );
      assert.deepEqual(leftovers(cluster.dataDir), []);
    });
  });

  test("Ctrl-C while it starts stops what was started", async () => {
    const dataDir = folder();
    const child = spawn(process.execPath, [program, "up", quickstart, "--data-dir", dataDir, "--json"]);
    await new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
    child.kill("SIGINT");
    const code = await new Promise((resolve) => child.once("exit", resolve));
    assert.equal(code, 130);
    assert.deepEqual(leftovers(dataDir), []);
    assert.equal(fairlead("down", "--purge", "--data-dir", dataDir).status, 0);
  });

  test("--detach returns when the cluster is up, status shows it, and a second up is told of the first", () => {
    const dataDir = folder();
    try {
      const up = fairlead("up", quickstart, "--detach", "--data-dir", dataDir);
      assert.equal(up.status, 0, up.stdout + up.stderr);
      assert.match(up.stdout, /http:\/\/hello\.localhost/);
      const status = fairlead("status", "--data-dir", dataDir, "--json");
      assert.equal(status.status, 0);
      const facts = JSON.parse(status.stdout) as { state: string; reach: { nodes: unknown[] } };
      assert.equal(facts.state, "running");
      assert.equal(facts.reach.nodes.length, 3);
      const again = fairlead("up", "--data-dir", dataDir);
      assert.equal(again.status, 1);
      assert.match(again.stderr, /a cluster already runs from .* \(process \d+\)\n {2}see it: fairlead status/);
      assert.match(fairlead("kubeconfig", "--data-dir", dataDir).stdout, /^apiVersion: v1$/m);
    } finally {
      const down = fairlead("down", "--purge", "--data-dir", dataDir);
      assert.equal(down.status, 0, down.stdout + down.stderr);
    }
  });

  test("--nodes, ranges and the cluster domain are taken", async () => {
    await withCluster(
      {
        manifests: [quickstart],
        args: [
          "--nodes",
          "2",
          "--service-cidr",
          "10.200.0.0/16",
          "--pod-cidr",
          "10.201.0.0/16",
          "--cluster-domain",
          "lab.test",
        ],
      },
      (cluster) => {
        assert.equal(cluster.reach.nodes.length, 2);
        assert.equal(cluster.reach.dns, "10.200.0.10");
        assert.match(cluster.kubectl("get", "svc", "hello", "-o=jsonpath={.spec.clusterIP}"), /^10\.200\./);
        assert.match(cluster.kubectl("get", "pod", "-o=jsonpath={.items[0].status.podIP}"), /^10\.201\.[12]\./);
        const { stdout } = run("dig", ["@10.200.0.10", "hello.default.svc.lab.test", "+short"]);
        assert.match(stdout, /^10\.200\./);
      },
    );
  });
});

describe("what goes wrong is one clear line with a next step", { skip: whyNoCluster() }, () => {
  test("port 80 or 443 taken: the next free port, and it is said", async () => {
    const holder = spawn(process.execPath, [
      "-e",
      "for (const p of [80, 443, 8080]) require('net').createServer().listen(p)",
    ]);
    await eventually(() => assert.equal(run("ss", ["-Hltn", "sport", "=", ":8080"]).stdout.includes("8080"), true));
    try {
      await withCluster({ manifests: [quickstart] }, (cluster) => {
        const notices = cluster.events.flatMap((event) => (event.type === "notice" ? [event.text] : []));
        assert.deepEqual(notices, ["port 80 is taken: Ingress takes 8081", "port 443 is taken: Ingress takes 8443"]);
        assert.equal(curlStatus("http://hello.localhost:8081/").code, 200);
        assert.ok(cluster.reach.urls.some(({ url }) => url === "http://hello.localhost:8081/"));
      });
    } finally {
      holder.kill("SIGKILL");
    }
  });

  test("a port of the API server that is taken", async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(6443, "127.0.0.1", resolve));
    const outcome = await runUp("--data-dir", folder());
    holder.close();
    assert.equal(outcome.status, 1);
    assert.equal(outcome.stderr, "✗ port 6443 of the API server is taken\n  choose another with --api-port\n");
  });

  test("a broken manifest among many: file, line and column; the others are applied and the exit code tells", async () => {
    const broken = manifestFile("broken.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: [a\n");
    const misspelt = manifestFile(
      "misspelt.yaml",
      "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  selektor:\n    app: web\n  ports:\n  - port: 80\n---\napiVersion: apps/v1\nkind: Deploymet\nmetadata:\n  name: x\n",
    );
    const refused = manifestFile(
      "refused.yaml",
      "apiVersion: v1\nkind: Service\nmetadata:\n  name: high\nspec:\n  ports:\n  - port: 70000\n",
    );
    const dataDir = folder();
    const outcome = fairlead("up", broken, misspelt, refused, quickstart, "--detach", "--data-dir", dataDir);
    assert.equal(fairlead("down", "--purge", "--data-dir", dataDir).status, 0);
    assert.equal(outcome.status, 1);
    assert.match(outcome.stdout, /broken\.yaml:\d+:\d+: /);
    assert.match(outcome.stdout, /misspelt\.yaml:6.*selektor.*selector/);
    assert.match(outcome.stdout, /misspelt\.yaml:1[12].*Deploymet.*Deployment/);
    assert.match(
      outcome.stdout,
      /refused\.yaml:1: service\/high: Service "high" is invalid: spec\.ports\[0\]\.port: Invalid value: 70000: must be between 1 and 65535, inclusive/,
    );
    assert.match(outcome.stdout, /http:\/\/hello\.localhost/);
    assert.doesNotMatch(outcome.stdout + outcome.stderr, /\n\s+at /);
  });

  test("a store file that is none, and one that is damaged", async () => {
    const dataDir = folder();
    writeFileSync(
      join(dataDir, "store.db"),
      "this is not a database, and it is longer than any header would be".repeat(100),
    );
    const outcome = await runUp("--data-dir", dataDir);
    assert.equal(outcome.status, 1);
    assert.match(outcome.stderr, /store\.db/);
    assert.doesNotMatch(outcome.stderr, /\n\s+at /);
    assert.match(readFileSync(join(dataDir, "store.db"), "utf8"), /^this is not a database/);
  });

  test("a data folder on a full disk", () => {
    const dataDir = folder();
    run("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", dataDir]);
    run("dd", ["if=/dev/zero", `of=${join(dataDir, "filler")}`, "bs=1k", "count=64"]);
    const outcome = fairlead("up", "--data-dir", join(dataDir, "cluster"));
    run("umount", [dataDir]);
    assert.equal(outcome.status, 1);
    assert.match(outcome.stderr, /disk is full/);
    assert.match(outcome.stderr, /--data-dir/);
  });

  test("a root without the capabilities that nodes need", () => {
    const drop = ["--bounding-set=-net_admin", "--inh-caps=-net_admin"];
    const outcome = run("setpriv", [...drop, process.execPath, program, "up", "--data-dir", folder()]);
    assert.equal(outcome.status, 1);
    assert.match(outcome.stderr, /^✗ this root lacks CAP_NET_ADMIN \(links, routes and rules\)\n {2}in a container, /);
  });

  test("a tool that is missing and cannot be installed", async () => {
    const conmon = findProgram("conmon") ?? "";
    run("mount", ["--bind", "/dev/null", conmon]);
    const outcome = await runUp("--data-dir", folder());
    run("umount", [conmon]);
    assert.equal(outcome.status, 1);
    assert.match(outcome.stdout, /installing Debian packages: conmon/);
    assert.match(outcome.stderr, /^✗ .*conmon.*\n {2}/);
    assert.doesNotMatch(outcome.stderr, /\n\s+at /);
  });

  test("flags that cannot be: all told at once, by name", () => {
    const outcome = fairlead("up", "--nodes", "0", "--service-cidr", "10.96.0.0", "--data-dir", folder());
    assert.equal(outcome.status, 1);
    assert.match(
      outcome.stderr,
      /--nodes: must be between 1 and 16, not 0\n.*--service-cidr: 10\.96\.0\.0 is not an IPv4 range/,
    );
  });

  test("an unknown command and an unknown flag", () => {
    assert.notEqual(fairlead("upp").status, 0);
    assert.match(fairlead("upp").stderr, /unknown command 'upp'.*\n?.*up/);
    assert.match(fairlead("up", "--node", "2").stderr, /unknown option '--node'.*\n?.*--nodes/);
  });

  test("ranges of somebody else's network are named, and nothing is changed", async () => {
    run("ip", ["link", "add", "other0", "type", "bridge"]);
    run("ip", ["addr", "add", "10.244.7.1/24", "dev", "other0"]);
    run("ip", ["link", "set", "other0", "up"]);
    const outcome = await runUp("--data-dir", folder());
    run("ip", ["link", "del", "other0"]);
    assert.equal(outcome.status, 1);
    assert.match(outcome.stderr, /10\.244\.0\.0\/16 overlaps .*10\.244\.7\.0\/24.*other0/);
  });

  test("without root: one line says what runs and what needs root, and that much runs", async () => {
    const dataDir = folder();
    chmodSync(dataDir, 0o777);
    // The clone may lie where only root may look; a user sees it here.
    const clone = folder();
    chmodSync(clone, 0o755);
    run("mount", ["--bind", repository, clone]);
    const seen = (path: string) => path.replace(repository, clone);
    const user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    const args = [seen(process.execPath), seen(program), "up", "--data-dir", join(dataDir, "c"), "--json"];
    const child = spawn("setpriv", [...user, ...args], {
      env: { ...process.env, HOME: dataDir, NODE_COMPILE_CACHE: "" },
      cwd: dataDir,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = await untilReady(child);
    assert.match(output, /without root: API, controllers, DNS, Ingress and userspace proxying/);
    const env = { ...process.env, KUBECONFIG: join(dataDir, "c", "kubeconfig"), HOME: dataDir };
    assert.equal(run("kubectl", ["create", "namespace", "x"], { env }).stdout, "namespace/x created\n");
    child.kill("SIGINT");
    await new Promise((resolve) => child.once("exit", resolve));
    run("umount", [clone]);
  });
});

/** `up` in the foreground that is expected to fail. */
function runUp(...args: string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [program, "up", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  return new Promise((resolve) => child.once("close", (code) => resolve({ status: code ?? 1, ...output })));
}

function untilReady(child: ChildProcess): Promise<string> {
  let output = "";
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (output.includes('"type":"ready"')) resolve(output);
      });
    }
    child.once("exit", () => reject(new Error(output)));
  });
}

/** What of a cluster is left in the kernel and among the processes. */
function leftovers(dataDir: string): string[] {
  const left: string[] = [];
  for (const line of run("ip", ["netns", "list"]).stdout.split("\n")) if (line.startsWith("fl-")) left.push(line);
  for (const line of run("ip", ["-o", "link"]).stdout.split("\n")) if (/: fl[a-z0-9]+/.test(line)) left.push(line);
  for (const line of run("ip", ["route"]).stdout.split("\n")) if (/10\.(96|244)\./.test(line)) left.push(line);
  for (const line of readFileSync("/proc/mounts", "utf8").split("\n")) if (line.includes(dataDir)) left.push(line);
  for (const line of run("pgrep", ["-fa", dataDir]).stdout.split("\n")) if (line !== "") left.push(line);
  return left;
}
