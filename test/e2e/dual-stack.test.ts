import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import {
  curlMany,
  curlStatus,
  eventually,
  rowsOf,
  run,
  startCluster,
  whyNoCluster,
  type TestCluster,
} from "./cluster.ts";
import { apply, echo, ingress, pod, service, shell } from "./workloads/objects.ts";

const skip = whyNoCluster() || (existsSync("/proc/net/if_inet6") ? false : "this kernel has no IPv6");

/** A cluster of both families as a person would start it, and everything that has an address in it. */
describe("a cluster of IPv4 and IPv6", { skip }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster({
      args: [
        "--nodes=2",
        "--http-port=8080",
        "--https-port=8443",
        "--service-cidr=10.96.0.0/16,fd00:10:96::/112",
        "--pod-cidr=10.244.0.0/16,fd00:10:244::/48",
        "--load-balancer-cidr=172.31.0.0/24",
        "--load-balancer-cidr=fd00:172:31::/120",
      ],
    });
    apply(
      cluster,
      echo("web", 2),
      service("web", {
        type: "NodePort",
        ipFamilyPolicy: "RequireDualStack",
        ports: [
          { name: "http", port: 80, targetPort: "http", nodePort: 30080 },
          { name: "udp", port: 9000, targetPort: "udp", protocol: "UDP" },
        ],
      }),
      service("six", { selector: { app: "web" }, ipFamilies: ["IPv6"], ports: [{ port: 80, targetPort: "http" }] }),
      service("bare", { selector: { app: "web" }, clusterIP: "None", ipFamilyPolicy: "PreferDualStack" }),
      ingress("web", "web.test", "six"),
      pod("client", shell("exec sleep 1000"), { nodeName: "node-1", terminationGracePeriodSeconds: 0 }),
    );
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s");
    cluster.kubectl("wait", "--for=condition=Ready", "pod/client", "--timeout=60s");
  });
  after(() => cluster?.purge());

  const get = (what: string, path: string) => cluster.kubectl("get", ...what.split(" "), `-o=jsonpath=${path}`);
  const inClient = (...command: string[]) => cluster.tryKubectl("exec", "client", "--", ...command).stdout;
  const addressOf = (name: string, index: number) =>
    get(`svc ${name}`, "{.spec.clusterIPs[*]}").split(" ")[index] ?? "";
  const webPods = () => rowsOf(cluster.kubectl("get", "pod", "-l", "app=web")).map((row) => row["NAME"] ?? "");
  const answerers = (text: string) =>
    [...new Set([...text.matchAll(/^Hostname: (.*)$/gm)].map(([, name]) => name))].sort();

  test("nodes and pods have addresses of both families, and Services those that they ask for", () => {
    assert.match(
      get("node node-1", "{.status.addresses[?(@.type=='InternalIP')].address}"),
      /^172\.30\.0\.11 fd00:172:30::b$/,
    );
    assert.equal(get("node node-2", "{.spec.podCIDRs}"), '["10.244.2.0/24","fd00:10:244:2::/64"]');
    const [four = "", six = ""] = get("pod client", "{.status.podIPs[*].ip}").split(" ");
    assert.match(four, /^10\.244\.1\.\d+$/);
    assert.match(six, /^fd00:10:244:1::[0-9a-f]+$/);
    assert.equal(get("pod client", "{.status.hostIPs[*].ip}"), "172.30.0.11 fd00:172:30::b");
    assert.match(addressOf("web", 0), /^10\.96\./);
    assert.match(addressOf("web", 1), /^fd00:10:96::/);
    assert.match(addressOf("six", 0), /^fd00:10:96::/);
    assert.equal(get("servicecidr kubernetes", "{.spec.cidrs}"), '["10.96.0.0/16","fd00:10:96::/112"]');
    const slices = rowsOf(cluster.kubectl("get", "endpointslice", "-l", "kubernetes.io/service-name=web"));
    assert.deepEqual(slices.map((row) => row["ADDRESSTYPE"]).sort(), ["IPv4", "IPv6"]);
  });

  test("a Service is reached at its address of IPv6 from here, from pods and from nodes, at node ports too", async () => {
    const pods = webPods().sort();
    const place = `http://[${addressOf("web", 1)}]/`;
    await eventually(() => assert.deepEqual(answerers(curlMany(place, 20)), pods));
    await eventually(() =>
      assert.deepEqual(answerers(inClient("sh", "-c", `for i in $(seq 20); do curl -gs -m 3 ${place}; done`)), pods),
    );
    const script = `for i in $(seq 20); do curl -gs -m 3 ${place}; done`;
    const fromItself = () => cluster.kubectl("exec", pods[0] ?? "", "--", "sh", "-c", script);
    await eventually(() => assert.deepEqual(answerers(fromItself()), pods));
    for (const host of ["[fd00:172:30::b]:30080", "[fd00:172:30::c]:30080", addressOf("web", 0)]) {
      await eventually(() => assert.deepEqual(answerers(curlMany(`http://${host}/`, 20)), pods, host));
    }
  });

  test("a pod sees a pod by its address of IPv6", async () => {
    const six = get("pod client", "{.status.podIPs[1].ip}");
    const [target = ""] = webPods();
    const place = `http://[${get(`pod ${target}`, "{.status.podIPs[1].ip}")}]:8080/`;
    await eventually(() => {
      inClient("curl", "-gs", "-m", "3", place);
      assert.ok(cluster.kubectl("logs", target, "--tail=50").includes(six));
    });
  });

  test("names have addresses of both families: a Service its own, a headless one those of its pods", async () => {
    const ask = (name: string, type: string) =>
      run("dig", ["@10.96.0.10", "+short", name, type]).stdout.trim().split("\n").sort();
    await eventually(() => assert.deepEqual(ask("web.default.svc.cluster.local", "AAAA"), [addressOf("web", 1)]));
    assert.deepEqual(ask("web.default.svc.cluster.local", "A"), [addressOf("web", 0)]);
    assert.deepEqual(ask("six.default.svc.cluster.local", "A"), [""]);
    const ips = webPods().map((name) => get(`pod ${name}`, "{.status.podIPs[1].ip}"));
    await eventually(() => assert.deepEqual(ask("bare.default.svc.cluster.local", "AAAA"), ips.sort()));
    const reverse = run("dig", ["@10.96.0.10", "+short", "-x", addressOf("web", 1)]).stdout.trim();
    assert.equal(reverse, "web.default.svc.cluster.local.");
    await eventually(() => assert.equal(answerers(inClient("curl", "-6", "-s", "-m", "3", "http://web/")).length, 1));
  });

  test("Ingress has IPv6 endpoints behind it, and is reached by IPv6", async () => {
    const host = ["-H", "Host: web.test"];
    for (const place of ["127.0.0.1", "[::1]", "[fd00:172:30::fe]"]) {
      await eventually(() => assert.equal(curlStatus(`http://${place}:8080/`, "-g", ...host).code, 200, place));
    }
  });

  test("a Service of type LoadBalancer has an outside address of each family", async () => {
    const ports = [{ port: 80, targetPort: "http" }];
    const spec = { type: "LoadBalancer", ipFamilyPolicy: "RequireDualStack", selector: { app: "web" }, ports };
    apply(cluster, service("outside", spec));
    const addresses = () => get("svc outside", "{.status.loadBalancer.ingress[*].ip}").split(" ").sort();
    await eventually(() => assert.equal(addresses().length, 2));
    const [four = "", six = ""] = addresses();
    assert.match(four, /^172\.31\.0\./);
    assert.match(six, /^fd00:172:31::/);
    const pods = webPods().sort();
    for (const place of [four, `[${six}]`]) {
      await eventually(() => assert.deepEqual(answerers(curlMany(`http://${place}/`, 20)), pods, place));
    }
  });

  test("a second address comes and goes with the policy, and a Service without pods refuses on both", async () => {
    const policy = (name: string) =>
      cluster.kubectl("patch", "svc", "web", "--type=merge", "-p", JSON.stringify({ spec: { ipFamilyPolicy: name } }));
    const before = addressOf("web", 1);
    policy("SingleStack");
    assert.equal(addressOf("web", 1), "");
    await eventually(() => assert.notEqual(run("curl", ["-gs", "-m", "1", `http://[${before}]/`]).status, 0));
    policy("PreferDualStack");
    assert.match(addressOf("web", 1), /^fd00:10:96::/);
    await eventually(() => assert.equal(curlStatus(`http://[${addressOf("web", 1)}]/`, "-g").code, 200));
    cluster.kubectl("scale", "deployment/web", "--replicas=0");
    for (const place of [addressOf("web", 0), `[${addressOf("web", 1)}]`]) {
      await eventually(() => assert.equal(run("curl", ["-gs", "-m", "2", `http://${place}/`]).status, 7, place));
    }
  });
});
