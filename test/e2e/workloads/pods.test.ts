import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { curlStatus, eventually, rowsOf, run, startCluster, whyNoCluster, type TestCluster } from "../cluster.ts";
import { apply, pod, shell } from "./objects.ts";

describe("pods", { skip: whyNoCluster() }, () => {
  let cluster: TestCluster;
  const folder = mkdtempSync(join(tmpdir(), "fairlead-pods-"));

  before(async () => {
    cluster = await startCluster({ args: ["--http-port", "8080", "--https-port", "8443"] });
    const ports = [{ containerPort: 8080 }, { name: "tcp", containerPort: 9000 }];
    apply(
      cluster,
      pod("serves", { image: "fairlead/echo", ports }),
      pod("reads", { ...shell("while read line; do echo got $line; done; exec sleep 1000"), stdin: true }),
      pod("done", shell("exit 0"), { restartPolicy: "Never" }),
      pod("failed", shell("exit 3"), { restartPolicy: "Never" }),
      pod("retried", shell("exit 3"), { restartPolicy: "OnFailure" }),
      pod("crashes", shell("echo run; exit 7")),
      pod("unknown", { image: "acme/nothing" }),
      pod("nowhere", { image: "pause" }, { nodeSelector: { disk: "ssd" } }),
      pod("eats", eater, { restartPolicy: "Never" }),
      pod("begins", shell("cat /v/text; exec sleep 1000"), beginnings),
      pod("stuck", shell("exec sleep 1000"), { initContainers: [{ name: "i", ...shell("exit 1") }] }),
    );
    cluster.kubectl("wait", "--for=condition=Ready", "pod/serves", "pod/reads", "pod/begins", "--timeout=20s");
  });
  after(() => cluster?.purge());

  const row = (name: string) => rowsOf(cluster.kubectl("get", "pod", name))[0] ?? {};
  const inPod = (name: string, ...command: string[]) => cluster.tryKubectl("exec", name, "--", ...command);
  const describePod = (name: string) => cluster.kubectl("describe", "pod", name);

  test("kubectl get pods says how each pod fares", async () => {
    const expected = {
      done: "Completed",
      failed: "Error",
      retried: "CrashLoopBackOff",
      crashes: "CrashLoopBackOff",
      unknown: "ImageNotAvailable",
      nowhere: "Pending",
      eats: "OOMKilled",
      begins: "Running",
      stuck: "Init:CrashLoopBackOff",
    };
    for (const [name, status] of Object.entries(expected)) {
      await eventually(() => assert.equal(row(name)["STATUS"], status, name));
    }
    assert.match(describePod("nowhere"), /0\/3 nodes are available: 3 node\(s\) didn't match Pod's node affinity/);
    assert.match(describePod("unknown"), /acme\/nothing is not in the catalogue/);
    assert.match(describePod("crashes"), /Last State: +Terminated\s+Reason: +Error\s+Exit Code: +7/);
    assert.equal(cluster.kubectl("logs", "crashes", "--previous"), "run\n");
    assert.equal(cluster.kubectl("logs", "begins"), "one\ntwo\n");
  });

  test("exec: exit codes, a program that is not there, both outputs, input to its end", () => {
    assert.equal(inPod("serves", "sh", "-c", "exit 42").status, 42);
    assert.equal(inPod("serves", "sh", "-c", "kill -9 $$").status, 137);
    const missing = inPod("serves", "/no/such");
    assert.equal(missing.status, 1);
    assert.match(missing.stderr, /no such file or directory/);
    const both = inPod("serves", "sh", "-c", "echo out; echo err >&2");
    assert.deepEqual([both.stdout, both.stderr], ["out\n", "err\n"]);
    const input = randomBytes(2 << 20).toString("hex");
    assert.equal(cluster.kubectlWith(input, "exec", "-i", "serves", "--", "md5sum").slice(0, 32), md5(input));
  });

  test("a terminal has a kind and a size that follows the window", async () => {
    const script = "stty rows 33 cols 101; exec kubectl exec -it serves -- sh -c 'echo $TERM; stty size'";
    const { stdout } = run("script", ["-qec", script, "/dev/null"], { env: cluster.env });
    assert.match(stdout, /xterm\r\n33 101\r\n/);
  });

  test("attach brings input to a program that runs, logs show what it says", async () => {
    const attach = spawn("kubectl", ["attach", "-i", "reads"], { env: cluster.env });
    attach.stdin.write("a line\n");
    await eventually(() => assert.equal(cluster.kubectl("logs", "reads"), "got a line\n"));
    attach.kill();
    const line = cluster.kubectl("logs", "reads", "--tail=1", "--timestamps");
    assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z got a line\n$/);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    assert.equal(cluster.kubectl("logs", "reads", "--since=1s"), "");
  });

  test("cp both ways keeps every byte", () => {
    const [there, back] = [join(folder, "there"), join(folder, "back")];
    writeFileSync(there, randomBytes(3 << 20));
    cluster.kubectl("cp", there, "serves:/tmp/file");
    cluster.kubectl("cp", "serves:/tmp/file", back);
    assert.ok(readFileSync(there).equals(readFileSync(back)));
  });

  test("port-forward carries parallel connections whole, and tells of a closed port", async () => {
    const forward = spawn("kubectl", ["port-forward", "pod/serves", "19000:9000", "15555:5555"], { env: cluster.env });
    let said = "";
    for (const stream of [forward.stdout, forward.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (said += text));
    }
    try {
      await eventually(() => assert.match(said, /127\.0\.0\.1:15555/));
      await Promise.all(Array.from({ length: 6 }, () => echoThrough(19_000, randomBytes(2 << 20))));
      assert.equal(curlStatus("http://127.0.0.1:15555/").code, 0);
      await eventually(() => assert.match(said, /error forwarding port 5555 to pod.*REFUSED/));
    } finally {
      forward.kill();
    }
  });

  test("a liveness probe restarts, a startup probe holds it back, a lost conmon ends in a restart", async () => {
    const alive = (extra: object = {}) => ({ exec: { command: ["cat", "/tmp/ok"] }, periodSeconds: 1, ...extra });
    const script = "touch /tmp/ok; exec sleep 1000";
    apply(
      cluster,
      pod("lives", { ...shell(script), livenessProbe: alive({ failureThreshold: 1, initialDelaySeconds: 1 }) }),
      pod("starts", {
        ...shell(`sleep 2; ${script}`),
        startupProbe: alive({ failureThreshold: 30 }),
        livenessProbe: alive({ failureThreshold: 1 }),
      }),
    );
    const id = cluster.kubectl("get", "pod", "serves", "-o=jsonpath={.status.containerStatuses[0].containerID}");
    const conmon = run("pgrep", ["-f", `conmon.*-c ${id.replace(/^.*\/\//, "")}`]).stdout.trim();
    process.kill(Number(conmon), "SIGKILL");
    cluster.kubectl("wait", "--for=condition=Ready", "pod/lives", "pod/starts", "--timeout=20s");
    assert.match(row("starts")["RESTARTS"] ?? "", /^0$/);
    inPod("lives", "rm", "/tmp/ok");
    await eventually(() => assert.match(row("lives")["RESTARTS"] ?? "", /^1 /));
    assert.match(describePod("lives"), /Liveness probe failed: cat: \/tmp\/ok/);
    // Its successor gets the port, so nothing of the first is left.
    await eventually(() => assert.match(row("serves")["RESTARTS"] ?? "", /^1 /), 15_000);
    await eventually(() => assert.match(inPod("serves", "curl", "-s", "localhost:8080").stdout, /^Hostname: serves/));
    assert.equal(row("serves")["STATUS"], "Running");
  });

  test("hooks run before the ready and before the end, which comes after the grace period at the latest", async () => {
    const say = (word: string) => ({ exec: { command: ["sh", "-c", `echo ${word} > /proc/1/fd/1; sleep 0.3`] } });
    const trap = (reaction: string) => shell(`trap '${reaction}' TERM; while :; do sleep 0.1; done`);
    const lifecycle = { postStart: say("begun"), preStop: say("ending") };
    apply(cluster, pod("polite", { ...trap("echo ended; exit 0"), lifecycle }, { terminationGracePeriodSeconds: 20 }));
    apply(cluster, pod("deaf", trap(""), { terminationGracePeriodSeconds: 2 }));
    cluster.kubectl("wait", "--for=condition=Ready", "pod/polite", "pod/deaf", "--timeout=20s");
    const logs = spawn("kubectl", ["logs", "-f", "polite"], { env: cluster.env });
    let said = "";
    logs.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    await eventually(() => assert.equal(said, "begun\n"));
    const begun = performance.now();
    cluster.kubectl("delete", "pod", "polite", "deaf");
    const took = performance.now() - begun;
    assert.ok(took > 1900 && took < 6000, `${took} ms`);
    if (logs.exitCode === null) await once(logs, "exit");
    assert.equal(said, "begun\nending\nended\n");
  });

  test("delete --force does not wait", () => {
    apply(
      cluster,
      pod("slow", shell("trap '' TERM; while :; do sleep 0.1; done"), { terminationGracePeriodSeconds: 60 }),
    );
    cluster.kubectl("wait", "--for=condition=Ready", "pod/slow", "--timeout=20s");
    const begun = performance.now();
    cluster.kubectl("delete", "pod", "slow", "--force", "--grace-period=0");
    assert.ok(performance.now() - begun < 3000);
    assert.notEqual(cluster.tryKubectl("get", "pod", "slow").status, 0);
  });

  test("configuration comes as files and variables; files follow a change, a pod waits for what is missing", async () => {
    const mounts = [
      { name: "all", mountPath: "/all" },
      { name: "late", mountPath: "/late" },
    ];
    const env = [
      { name: "KEY", valueFrom: { configMapKeyRef: { name: "conf", key: "key" } } },
      { name: "NODE", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
      { name: "BOTH", value: "$(KEY)@$(NODE) $$(KEY) $(NONE)" },
    ];
    const volumes = [
      { name: "all", projected: { sources: [{ configMap: { name: "conf" } }, { secret: { name: "key" } }, labels] } },
      { name: "late", secret: { secretName: "late" } },
    ];
    apply(
      cluster,
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "conf" }, data: { key: "one" } },
      { apiVersion: "v1", kind: "Secret", metadata: { name: "key" }, stringData: { pass: "word" } },
      pod("configured", { ...shell("exec sleep 1000"), env, volumeMounts: mounts }, { volumes, ...naming }),
    );
    await eventually(() => assert.match(describePod("configured"), /secret "late" not found/));
    cluster.kubectl("create", "secret", "generic", "late", "--from-literal=x=y");
    cluster.kubectl("wait", "--for=condition=Ready", "pod/configured", "--timeout=20s");
    const files = () => inPod("configured", "sh", "-c", "head /all/* /late/*; cat /etc/hosts; hostname -f").stdout;
    const node = cluster.kubectl("get", "pod", "configured", "-o=jsonpath={.spec.nodeName}");
    assert.equal(inPod("configured", "printenv", "BOTH").stdout, `one@${node} $(KEY) $(NONE)\n`);
    const text = files();
    for (const part of [
      "one",
      "word",
      'app="configured"',
      "y",
      "10.1.2.3\tother.test",
      "me.group.default.svc.cluster.local",
    ]) {
      assert.ok(text.includes(part), `${part} in ${text}`);
    }
    cluster.kubectl("patch", "configmap", "conf", "-p", '{"data":{"key":"two"}}');
    await eventually(() => assert.match(files(), /^two$/m));
    assert.equal(inPod("configured", "printenv", "KEY").stdout, "one\n");
  });
});

const eater = {
  image: "debian",
  // Waits for the end of the line, which never comes, and keeps all of it.
  command: ["tail", "/dev/zero"],
  resources: { limits: { memory: "64Mi" } },
};

const volumeMounts = [{ name: "v", mountPath: "/v" }];
const beginnings = {
  volumes: [{ name: "v", emptyDir: {} }],
  initContainers: [
    { name: "one", ...shell("echo one > /v/text"), volumeMounts },
    { name: "two", ...shell("echo two >> /v/text"), volumeMounts },
  ],
  containers: [{ name: "c", ...shell("cat /v/text; exec sleep 1000"), volumeMounts }],
};

const labels = { downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } };
const naming = { hostname: "me", subdomain: "group", hostAliases: [{ ip: "10.1.2.3", hostnames: ["other.test"] }] };

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

/** Sends the bytes through an echo server and checks what comes back. */
async function echoThrough(port: number, bytes: Buffer): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  const got: Buffer[] = [];
  let length = 0;
  socket.write(bytes);
  for await (const chunk of socket) {
    got.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length >= bytes.length) break;
  }
  assert.ok(Buffer.concat(got).equals(bytes));
}
