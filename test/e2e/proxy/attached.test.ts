import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startAttached, type Attached } from "../attached.ts";
import { eventually, run, startCluster, whyNoCluster, type TestCluster } from "../cluster.ts";

const examples = join(import.meta.dirname, "../../../examples/quickstart");
const address = "172.30.0.99";
const head = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";

/** A machine beside the nodes of a running cluster, with a service proxy of its own. */
describe("fairlead proxy on a machine beside a cluster", { skip: whyNoCluster() }, () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-proxy-"));
  const kubeconfig = join(folder, "kubeconfig");
  const config = join(folder, "config.conf");
  let cluster: TestCluster;
  let attached: Attached | undefined;

  const inside = ["nsenter", "--net=/run/netns/edge"] as const;
  const within = (...argv: string[]) => run(inside[0], [inside[1], ...argv]);
  const ask = (url: string) => within("curl", "-s", "--max-time", "3", url);
  const start = (...args: string[]) =>
    startAttached(["--kubeconfig", kubeconfig, ...args], {}, { command: "proxy", inside });

  function writeConfig(text: string): void {
    writeFileSync(`${config}.new`, head + text);
    renameSync(`${config}.new`, config);
  }

  before(async () => {
    cluster = await startCluster({ manifests: [examples], args: ["--nodes", "1"] });
    const [, lan = ""] = /^(fl-\S+-sw)\b/m.exec(run("ip", ["netns", "list"]).stdout) ?? [];
    for (const line of [
      "netns add edge",
      `-n ${lan} link add edge0 type veth peer name eth0 netns edge`,
      `-n ${lan} link set edge0 master lan up`,
      "-n edge link set lo up",
      `-n edge addr add ${address}/24 dev eth0`,
      "-n edge link set eth0 up",
      "-n edge route add 10.244.1.0/24 via 172.30.0.11",
      "-n edge route add 10.96.0.0/12 dev eth0",
    ]) {
      assert.equal(run("ip", line.split(" ")).status, 0, line);
    }
    const text = readFileSync(cluster.reach.kubeconfig, "utf8").replace("https://127.0.0.1:", "https://172.30.0.254:");
    writeFileSync(kubeconfig, text);
  });
  after(async () => {
    attached?.child.kill("SIGKILL");
    run("ip", ["netns", "del", "edge"]);
    await cluster?.purge();
    rmSync(folder, { recursive: true });
  });

  test("serves the cluster's Services there, and its rules stay when it ends, until --cleanup", async () => {
    const clusterIP = cluster.kubectl("get", "service", "hello", "-o", "jsonpath={.spec.clusterIP}");
    assert.notEqual(ask(`http://${clusterIP}/`).status, 0);
    writeConfig("nftables: { masqueradeBit: 15 }\n");
    attached = start("--config", config, "--hostname-override", "edge");
    await attached.hears(/masqueradeBit has no effect here \(ignored\)/);
    await attached.hears(/Service proxy of node edge in mode nftables/);
    assert.match(ask(`http://${clusterIP}/`).stdout, /^Hostname: hello-/);
    assert.match(ask("http://127.0.0.1:30080/").stdout, /^Hostname: hello-/);
    assert.equal(ask("http://127.0.0.1:10249/proxyMode").stdout, "nftables");
    assert.match(ask("http://127.0.0.1:10256/healthz").stdout, /"healthy":true/);

    writeConfig("metricsBindAddress: 0.0.0.0:20249\n");
    await attached.hears(/has changed and is in use: mode nftables/);
    assert.equal(ask(`http://${address}:20249/proxyMode`).stdout, "nftables");
    writeConfig("mode: no\n");
    await attached.hears(/cannot be used, the one before stays:\n.*:3: mode must be one of/);

    attached.child.kill("SIGTERM");
    assert.equal(await attached.ended, 0);
    assert.match(ask(`http://${clusterIP}/`).stdout, /^Hostname: hello-/);
    const cleaning = startAttached(["--cleanup"], {}, { command: "proxy", inside });
    assert.equal(await cleaning.ended, 0);
    assert.notEqual(ask(`http://${clusterIP}/`).status, 0);
    assert.doesNotMatch(within("nft", "list", "ruleset").stdout, /kube-proxy|KUBE-/);
  });

  for (const [what, args, error] of [
    ["a cluster that is not there", ["--kubeconfig", "/nowhere"], /the kubeconfig cannot be read/],
    ["a configuration that is not there", ["--config", "/nowhere"], /the configuration cannot be read/],
  ] as const) {
    test(`refuses ${what} in one sentence, and leaves nothing running`, async () => {
      const refused = start(...args);
      assert.equal(await refused.ended, 1);
      assert.match(refused.said.find(({ type }) => type === "error")?.text ?? "", error);
      assert.doesNotMatch(refused.errors(), /\bat .*\.ts:\d+/);
    });
  }

  test("says with all line numbers what is wrong with a configuration", async () => {
    writeConfig("mode: nftable\nmod: 1\n");
    const refused = start("--config", config);
    assert.equal(await refused.ended, 1);
    const { text } = refused.said.find(({ type }) => type === "error") ?? {};
    assert.match(text ?? "", /:3: mode must be one of[^]*:4: mod is not a key/);
  });

  test("follows the zone of its Node, and the address that it is given", async () => {
    const node = { apiVersion: "v1", kind: "Node", metadata: { name: "edge" } };
    cluster.kubectlWith(JSON.stringify(node), "create", "-f", "-");
    cluster.kubectl("patch", "service", "hello", "-p", '{"spec":{"trafficDistribution":"PreferSameZone"}}');
    attached = start("--hostname-override", "edge");
    await attached.hears(/Service proxy of node edge in mode/);
    const clusterIP = cluster.kubectl("get", "service", "hello", "-o", "jsonpath={.spec.clusterIP}");
    cluster.kubectl("label", "node", "edge", "node-1", "topology.kubernetes.io/zone=east");
    await eventually(() => assert.match(ask(`http://${clusterIP}/`).stdout, /^Hostname: hello-/));
    cluster.kubectl("taint", "node", "edge", "ToBeDeletedByClusterAutoscaler=now:NoSchedule");
    await eventually(() => assert.match(ask("http://127.0.0.1:10256/healthz").stdout, /"nodeEligible":false/));
    attached.child.kill("SIGTERM");
    assert.equal(await attached.ended, 0);
  });
});
