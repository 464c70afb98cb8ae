import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { findProgram } from "#roles/packages.ts";
import { startAttached, type Attached } from "../attached.ts";
import { curl, eventually, run, startCluster, whyNoCluster, type TestCluster } from "../cluster.ts";

const skip = whyNoCluster() || (findProgram("arping") === undefined ? "needs arping" : false);
const pools = `
apiVersion: v1
kind: ConfigMap
metadata: { name: load-balancer, namespace: kube-system }
data:
  config.yaml: |
    pools:
    - { name: near, addresses: [172.30.0.200-172.30.0.210], autoAssign: false }
    - { name: far, addresses: [172.31.8.0/28], autoAssign: false }
`;
const echo = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: fairlead/echo, ports: [{ containerPort: 8080 }] }] }
`;
/** Longer than a Lease and all that follows from it, on a machine that is busy with other things. */
const patienceMs = 60_000;

/** A machine beside the nodes that knows nothing of the cluster: it finds an address by asking its neighbours. */
describe("outside addresses on the nodes' network", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-outside-"));
  let cluster: TestCluster;
  let attached: Attached | undefined;
  let prefix = "";

  function serviceOf(name: string, pool: string, spec: object = {}) {
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, annotations: { "metallb.io/address-pool": pool } },
      spec: {
        type: "LoadBalancer",
        selector: { app: "web" },
        ports: [{ port: 80, targetPort: 8080, protocol: "TCP" }],
        ...spec,
      },
    });
  }
  const addressOf = (name: string) =>
    eventually(() => {
      const address = cluster.kubectl("get", "service", name, "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}");
      assert.match(address, /^\d/);
      return address;
    });
  const ask = (address: string) =>
    run("nsenter", ["--net=/run/netns/neighbour", "curl", "-s", "--max-time", "3", `http://${address}/`]).stdout;
  const serves = (address: string) =>
    eventually(() => assert.match(ask(address), /^Hostname: web-/, address), patienceMs);
  const holderOf = (address: string) =>
    run(
      "kubectl",
      ["get", "lease", "-n", "kube-system", `load-balancer-${address}`, "-o", "jsonpath={.spec.holderIdentity}"],
      {
        env: cluster.env,
      },
    ).stdout;
  /** The nodes whose interface has the address. */
  const nodesWith = (address: string) =>
    ["node-1", "node-2", "node-3"].filter((node) =>
      run("ip", ["-n", prefix + node, "addr", "show", "dev", "eth0"]).stdout.includes(` ${address}/32 `),
    );
  const link = (node: string, state: "up" | "down") => run("ip", ["-n", prefix + node, "link", "set", "eth0", state]);

  /** A machine on the nodes' network. */
  function plug(name: string, address: string): void {
    for (const line of [
      `netns add ${name}`,
      `-n ${prefix}sw link add ${name}0 type veth peer name eth0 netns ${name}`,
      `-n ${prefix}sw link set ${name}0 master lan up`,
      `-n ${name} link set lo up`,
      `-n ${name} addr add ${address}/24 dev eth0`,
      `-n ${name} link set eth0 up`,
      `-n ${name} route add 172.31.0.0/16 dev eth0`,
    ]) {
      assert.equal(run("ip", line.split(" ")).status, 0, line);
    }
  }

  before(async () => {
    cluster = await startCluster({ args: ["--load-balancer-cidr", "172.31.0.0/28"] });
    cluster.kubectlWith(echo, "apply", "-f", "-");
    cluster.kubectlWith(pools, "apply", "-f", "-");
    prefix = /^(fl-\S+-)sw\b/m.exec(run("ip", ["netns", "list"]).stdout)?.[1] ?? "";
    plug("neighbour", "172.30.0.77");
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s");
  });
  after(async () => {
    attached?.child.kill("SIGKILL");
    for (const name of ["neighbour", "edge"]) run("ip", ["netns", "del", name]);
    await cluster?.purge();
    rmSync(folder, { recursive: true });
  });

  test("an address of each pool is found by ARP, has one node, and is reached from the machine too", async () => {
    for (const [pool, pattern] of [
      ["default", /^172\.31\.0\.1$/],
      ["near", /^172\.30\.0\.200$/],
      ["far", /^172\.31\.8\.1$/],
    ] as const) {
      cluster.kubectlWith(serviceOf(`by-${pool}`, pool), "apply", "-f", "-");
      const address = await addressOf(`by-${pool}`);
      assert.match(address, pattern);
      await serves(address);
      await eventually(() => assert.deepEqual(nodesWith(address), [holderOf(address)]));
      await eventually(() => assert.match(curl(`http://${address}/`), /^Hostname: web-/));
    }
    const mode = cluster.kubectl("get", "service", "by-far", "-o", "jsonpath={.status.loadBalancer.ingress[0].ipMode}");
    assert.equal(mode, "VIP");
    assert.match(cluster.kubectl("describe", "service", "by-far"), /nodeAssigned .*172\.31\.8\.1 from node node-\d/);
  });

  test("a node that goes is followed by another, and clients reach the address again", async () => {
    const address = await addressOf("by-default");
    const first = holderOf(address);
    link(first, "down");
    try {
      await serves(address);
      const second = holderOf(address);
      assert.notEqual(second, first);
      assert.deepEqual(nodesWith(address), [second]);
    } finally {
      link(first, "up");
    }
  });

  test("with externalTrafficPolicy Local a node with an endpoint announces", async () => {
    cluster.kubectl("scale", "deployment", "web", "--replicas=1");
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s");
    cluster.kubectlWith(serviceOf("local", "default", { externalTrafficPolicy: "Local" }), "apply", "-f", "-");
    const address = await addressOf("local");
    await eventually(() => {
      const node = cluster.kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].spec.nodeName}");
      assert.equal(holderOf(address), node);
    }, patienceMs);
    await serves(address);
  });

  test("an agent that is killed leaves no address behind for ever, and has them again when it is back", async () => {
    const address = await addressOf("by-near");
    const [pid] = run("pgrep", ["-P", String(cluster.pid), "-f", "agent"]).stdout.split("\n");
    assert.match(pid ?? "", /^\d+$/);
    process.kill(Number(pid), "SIGKILL");
    await serves(address);
    await eventually(() => assert.deepEqual(nodesWith(address), [holderOf(address)]), patienceMs);
  });

  test("a Service that is no load balancer any more loses its address, and the address its node", async () => {
    const address = await addressOf("by-far");
    cluster.kubectl("patch", "service", "by-far", "-p", '{"spec":{"type":"ClusterIP"}}');
    await eventually(() => {
      assert.deepEqual(nodesWith(address), []);
      assert.equal(holderOf(address), "");
    }, patienceMs);
    assert.equal(cluster.kubectl("get", "service", "by-far", "-o", "jsonpath={.status.loadBalancer}"), "{}");
  });

  test("a machine whose service proxy is killed loses its addresses, and a node goes on", async () => {
    const kubeconfig = join(folder, "kubeconfig");
    const text = readFileSync(cluster.reach.kubeconfig, "utf8").replace("https://127.0.0.1:", "https://172.30.0.254:");
    writeFileSync(kubeconfig, text);
    plug("edge", "172.30.0.99");
    run("nsenter", ["--net=/run/netns/edge", "sysctl", "-q", "-w", "net.ipv4.ip_forward=1"]);
    for (const number of [1, 2, 3]) {
      const line = `-n edge route add 10.244.${number}.0/24 via 172.30.0.1${number}`;
      assert.equal(run("ip", line.split(" ")).status, 0, line);
    }
    cluster.kubectlWith('{"apiVersion":"v1","kind":"Node","metadata":{"name":"edge"}}', "create", "-f", "-");
    const exclude = "node.kubernetes.io/exclude-from-external-load-balancers";
    cluster.kubectl("label", "node", "node-1", "node-2", "node-3", `${exclude}=`);
    const args = ["--kubeconfig", kubeconfig, "--hostname-override", "edge", "--announce-on", "eth0"];
    attached = startAttached(args, {}, { command: "proxy", inside: ["nsenter", "--net=/run/netns/edge"] });
    const address = await addressOf("by-default");
    await eventually(() => assert.equal(holderOf(address), "edge"), patienceMs);
    await serves(address);
    cluster.kubectl("label", "node", "node-1", "node-2", "node-3", `${exclude}-`);
    attached.child.kill("SIGKILL");
    await eventually(() => {
      assert.match(holderOf(address), /^node-/);
      assert.doesNotMatch(run("ip", ["-n", "edge", "addr"]).stdout, new RegExp(` ${address}/32 `));
    }, patienceMs);
    await serves(address);
    assert.deepEqual(nodesWith(address), [holderOf(address)]);
  });

  test("a pool that is taken out of the ConfigMap takes its addresses and its way along", async () => {
    assert.match(run("ip", ["route", "show", "172.31.8.0/28"]).stdout, /dev fl/);
    cluster.kubectlWith(pools.replace(/^.*name: far.*$/m, ""), "apply", "-f", "-");
    await eventually(() => assert.doesNotMatch(run("ip", ["route", "show", "172.31.8.0/28"]).stdout, /dev fl/));
    cluster.kubectlWith(serviceOf("late", "far"), "apply", "-f", "-");
    await eventually(() =>
      assert.match(cluster.kubectl("describe", "service", "late"), /AddressPoolNotFound .*no pool far/),
    );
  });
});
