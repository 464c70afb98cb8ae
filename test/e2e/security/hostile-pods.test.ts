import assert from "node:assert/strict";
import { mkdtempSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { eventually, run, whyNoCluster, withCluster, type TestCluster } from "../cluster.ts";

/** A folder whose keys a pod could read, were it not hidden: no emptied folder is above it. */
const openFolder = () => mkdtempSync("/var/lib/fairlead-hostile-");

const agentOf = (cluster: TestCluster) =>
  run("pgrep", ["-f", "fairlead.ts agent", "-P", String(cluster.pid)]).stdout.trim();

function pod(name: string, command: string, container: object = {}, spec: object = {}): object {
  const main = { name: "main", image: "busybox", command: ["sh", "-c", command], ...container };
  const metadata = { name };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: { terminationGracePeriodSeconds: 0, containers: [main], ...spec },
  };
}

/** What the programs, the probes and the paths of pods may hold to end the agent. */
const hostile: readonly object[] = [
  pod("probe-path", "sleep 600", { readinessProbe: { httpGet: { path: "/a b\u0001é", port: 80 } } }),
  pod("probe-header", "sleep 600", {
    livenessProbe: { httpGet: { path: "/", port: 80, httpHeaders: [{ name: "X", value: "a\r\nb" }] } },
  }),
  pod("probe-command", "sleep 600", { startupProbe: { exec: { command: ["sh", "a\u0000b"] } } }),
  pod("hook", "sleep 600", { lifecycle: { postStart: { httpGet: { path: "/a b", port: 80 } } } }),
  pod("last-words", "truncate -s 1900M /dev/termination-log; exit 3", {}, { restartPolicy: "Never" }),
  pod("environment", "sleep 600", { env: [{ name: "X", value: "a\u0000b" }] }),
  pod("arguments", "sleep 600", { args: ["\u0000"], workingDir: "/../../nowhere" }),
  pod(
    "paths",
    "sleep 600",
    { volumeMounts: [{ name: "v", mountPath: "/v" }] },
    {
      volumes: [
        {
          name: "v",
          configMap: {
            name: "two",
            items: [
              { key: "a", path: "x" },
              { key: "b", path: "x/y" },
            ],
          },
        },
      ],
    },
  ),
];

describe("pods that mean harm", { skip: whyNoCluster() }, () => {
  test("nothing a manifest says ends the agent, or makes it large", async () => {
    await withCluster({ args: ["--nodes", "1"] }, async (cluster) => {
      const agent = agentOf(cluster);
      const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "two" }, data: { a: "1", b: "2" } };
      for (const object of [map, ...hostile]) {
        run("kubectl", ["create", "-f", "-"], { env: cluster.env, input: JSON.stringify(object) });
      }
      await eventually(() =>
        assert.equal(
          cluster.kubectl(
            "get",
            "pod",
            "last-words",
            "-o=jsonpath={.status.containerStatuses[0].state.terminated.exitCode}",
          ),
          "3",
        ),
      );
      await eventually(() => assert.match(cluster.kubectl("get", "events"), /probe-header.*Liveness probe failed/));
      // A path is written as a person reads it, and asked for as a server reads it.
      await eventually(() => assert.match(cluster.kubectl("get", "events"), /\/a%20b%01%C3%A9": connect/));
      cluster.kubectl("patch", "configmap", "two", "-p", '{"data":{"a":"3"}}');
      const socket = `${cluster.dataDir}/agent.sock`;
      for (const path of ["/containerLogs/default/hook/%zz", "//", "/exec/%zz/%/x", "/run/a/b"]) {
        const { stdout } = run("curl", ["-s", "-i", "--path-as-is", "--unix-socket", socket, `http://agent${path}`]);
        assert.match(stdout, /^HTTP\/1\.1 404 /, path);
      }
      assert.equal(agentOf(cluster), agent, readFileSync(`${cluster.dataDir}/server.log`, "utf8").slice(-2000));
      const status = readFileSync(`/proc/${agent}/status`, "utf8");
      const peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]);
      assert.ok(peak < 500_000, `the agent took ${peak} kB`);
    });
  });

  test("a pod that opens connections without end leaves the API to the others", async () => {
    const script = `
      let open = 0;
      for (let index = 0; index < 700; index += 1) {
        const socket = require("net").connect(6443, "172.30.0.254");
        socket.on("connect", () => (open += 1)).on("close", () => (open -= 1)).on("error", () => {});
      }
      setInterval(() => console.log(open), 200);
    `;
    const flood = pod("flood", "", { image: "node", command: ["node", "-e", script] });
    await withCluster({ args: ["--nodes", "1"] }, async (cluster) => {
      cluster.kubectlWith(JSON.stringify(flood), "create", "-f", "-");
      await eventually(() => assert.equal(cluster.kubectl("logs", "flood", "--tail=1").trim(), "512"));
      assert.equal(cluster.kubectl("get", "--raw", "/readyz"), "ok");
      const other = pod(
        "other",
        "wget -q -T 5 --no-check-certificate -O- https://172.30.0.254:6443/healthz; sleep 600",
      );
      cluster.kubectlWith(JSON.stringify(other), "create", "-f", "-");
      await eventually(() => assert.equal(cluster.kubectl("logs", "other").trim(), "ok"));
    });
  });

  test("a pod sees no key, no secret of the machine, and reaches nothing without credentials", async () => {
    const dataDir = openFolder();
    const volume = { name: "pg", mountPath: "/var/lib/postgresql/data" };
    const deep = { name: "deep", mountPath: "/deep", subPath: "a/b" };
    const look = pod(
      "look",
      "echo kept > /var/lib/postgresql/data/file; sleep 600",
      {
        volumeMounts: [
          { ...volume, subPath: "." },
          { ...deep, name: "pg" },
        ],
      },
      { volumes: [{ name: "pg", emptyDir: {} }], automountServiceAccountToken: false },
    );
    await withCluster({ dataDir, args: ["--nodes", "1"] }, async (cluster) => {
      cluster.kubectlWith(JSON.stringify(look), "create", "-f", "-");
      cluster.kubectl("wait", "--for=condition=Ready", "pod/look", "--timeout=20s");
      const inside = (script: string) => cluster.tryKubectl("exec", "look", "--", "sh", "-c", script);
      const reads = (path: string) => inside(`cat ${path}`).stdout;

      assert.equal(inside(`ls -A ${dataDir}`).stdout, "");
      assert.equal(reads(`${dataDir}/pki/ca.key`), "");
      for (const path of ["/etc/shadow", "/etc/gshadow"]) assert.equal(reads(path), "", path);
      for (const path of ["/root", "/home", "/run", "/tmp", "/srv", "/var/backups", "/boot"]) {
        assert.equal(inside(`ls -A ${path}`).stdout, "", path);
      }
      const top = inside("cd / && ls -d */")
        .stdout.trim()
        .split("/\n")
        .map((name) => name.replace("/", ""));
      const open = top.filter((name) => inside(`ls -A /${name} | head -1`).stdout !== "");
      const shown = ["bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "etc", "opt", "var", "nix", "gnu"];
      assert.deepEqual(
        open.filter((name) => ![...shown, "proc", "sys", "dev", "deep"].includes(name)),
        [],
      );
      // What is hidden of the machine does not hide a volume in its place.
      assert.equal(reads("/var/lib/postgresql/data/file"), "kept\n");
      assert.equal(inside("echo x > /deep/y && ls /deep").stdout, "y\n");

      assert.doesNotMatch(reads("/proc/1/environ"), /NODE_OPTIONS|KUBECONFIG|FAIRLEAD|SSH_/);
      assert.equal(reads("/proc/net/unix").trim().split("\n").length, 1);
      assert.notEqual(inside("mknod /dev/disk b 254 0 && head -c 1 /dev/disk").status, 0);
      assert.notEqual(inside("mount -t tmpfs none /mnt").status, 0);
      assert.notEqual(inside("echo x > /proc/sys/kernel/hostname").status, 0);
      const request = (url: string) => inside(`curl -sk -m 2 -o /dev/null -w '%{http_code}' ${url}`).stdout;
      assert.equal(request("https://10.96.0.1/api/v1/secrets"), "401");
      assert.equal(request(`https://172.30.0.254:6443/api/v1/pods`), "401");
      assert.equal(request("https://127.0.0.1:6443/version"), "000");
      assert.equal(request("http://169.254.169.254/"), "000");
      for (const file of [
        "pki/ca.key",
        "pki/admin.key",
        "kubeconfig",
        "store.db",
        "server.log",
        "agent.log",
        "agent.sock",
      ]) {
        assert.equal(run("stat", ["-c", "%a", `${dataDir}/${file}`]).stdout.trim(), "600", file);
      }
      for (const folder of ["", "pki", "nodes"]) {
        assert.equal(run("stat", ["-c", "%a", `${dataDir}/${folder}`]).stdout.trim(), "700", folder);
      }
    });
  });
});
