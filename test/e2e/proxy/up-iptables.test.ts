import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { findProgram } from "#roles/packages.ts";
import { curl, curlMany, eventually, run, startCluster, whyNoCluster, type TestCluster } from "../cluster.ts";
import { forms, manifestOf } from "../documents/forms.ts";

const quickstart = join(import.meta.dirname, "../../../examples/quickstart");
const why = whyNoCluster() || (findProgram("iptables-restore") === undefined && "needs iptables");

describe("a cluster whose proxy mode is iptables", { skip: why }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster({ manifests: [quickstart], args: ["--proxy-mode", "iptables"] });
  });
  after(() => cluster?.purge());

  /** On the first node, whose namespace is named after the cluster and the node. */
  const inNode = (...argv: string[]) => {
    const [name = ""] = readdirSync("/run/netns").filter((name) => name.endsWith("node-1"));
    return run("nsenter", [`--net=/run/netns/${name}`, ...argv]).stdout;
  };
  const clusterIP = (name: string, namespace = "default") =>
    cluster.kubectl("get", "svc", name, "-n", namespace, "-o=jsonpath={.spec.clusterIP}");

  test("says its mode, and has the chains that people know", () => {
    assert.ok(cluster.events.some((event) => JSON.stringify(event).includes("service proxy in mode iptables")));
    const rules = inNode("iptables-save", "-t", "nat");
    assert.match(rules, /-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES/);
    assert.match(rules, /--comment "default\/hello(:\S+)? cluster IP" .* -j KUBE-SVC-[A-Z2-7]{16}/);
    assert.doesNotMatch(inNode("nft", "list", "tables"), /kube-proxy/);
  });

  test("Services, node ports, DNS and Ingress are reached, from here, from pods and from nodes", async () => {
    const address = clusterIP("hello");
    assert.match(curl(`http://${address}/`), /^Hostname: hello-/);
    for (const { address } of cluster.reach.nodes) assert.match(curl(`http://${address}:30080/`), /^Hostname: hello-/);
    assert.match(inNode("curl", "-s", "--max-time", "5", "http://127.0.0.1:30080/"), /^Hostname: hello-/);
    const inPod = ["exec", "deploy/hello", "--", "curl", "-s", "--max-time", "5"];
    assert.match(cluster.kubectl(...inPod, "http://hello/"), /^Hostname: hello-/);
    assert.match(run("dig", ["@10.96.0.10", "hello.default.svc.cluster.local", "+short"]).stdout, /^10\./);
    assert.match(curl("http://hello.localhost/"), /^Hostname: hello-/);
  });

  test("a Service that loses its last pod refuses, and is served when pods are back", async () => {
    cluster.kubectl("scale", "deployment/hello", "--replicas=0");
    for (const url of [`http://${clusterIP("hello")}/`, "http://172.30.0.12:30080/"]) {
      await eventually(() => {
        // curl: 7 is refused, 28 is silence.
        assert.equal(run("curl", ["-s", "--max-time", "3", url]).status, 7, url);
      });
    }
    cluster.kubectl("scale", "deployment/hello", "--replicas=3");
    cluster.kubectl("rollout", "status", "deployment/hello", "--timeout=30s");
    await eventually(() => {
      const seen = curlMany(`http://${clusterIP("hello")}/`, 30).match(/^Hostname: .*$/gm) ?? [];
      assert.equal(new Set(seen).size, 3);
    });
  });

  test("the document's Service of type NodePort and the one with session affinity work", async () => {
    const [form] = forms;
    for (const name of ["02-nginx-service", "03-nginx-deployment"]) {
      cluster.kubectl("apply", "-f", manifestOf("000", form)(name));
    }
    cluster.kubectl("rollout", "status", "deployment/nginx-deployment", "--timeout=30s");
    for (const { address } of cluster.reach.nodes) {
      await eventually(() => assert.match(curl(`http://${address}:32222`), /nginx/i));
    }
    cluster.kubectl("patch", "service", "hello", "-p", '{"spec":{"sessionAffinity":"ClientIP"}}');
    await eventually(() => {
      const seen = curlMany(`http://${clusterIP("hello")}/`, 20).match(/^Hostname: .*$/gm) ?? [];
      assert.equal(seen.length, 20);
      assert.equal(new Set(seen).size, 1);
    });
  });

  test("a restart in another mode leaves one set of rules", async () => {
    await cluster.kill();
    assert.match(curl("http://172.30.0.12:30080"), /^Hostname: hello-/);
    cluster = await startCluster({ dataDir: cluster.dataDir });
    assert.doesNotMatch(inNode("iptables-save"), /KUBE-/);
    await eventually(() => assert.match(curl("http://172.30.0.12:30080"), /^Hostname: hello-/));
  });

  test("ipvs is served by iptables where the kernel has no ip_vs, and a warning says so", async () => {
    await cluster.kill();
    cluster = await startCluster({ dataDir: cluster.dataDir, args: ["--proxy-mode", "ipvs"] });
    const hasIpvs = run("ipvsadm", ["-L", "-n"]).status === 0;
    const told = cluster.events.map((event) => JSON.stringify(event));
    assert.ok(told.some((text) => text.includes(`service proxy in mode ${hasIpvs ? "ipvs" : "iptables"}`)));
    const warning = told.find((text) => text.includes('"warning"') && text.includes("is used, not ipvs"));
    assert.equal(warning === undefined, hasIpvs);
    await eventually(() => assert.match(curl("http://172.30.0.12:30080"), /^Hostname: hello-/));
  });
});
