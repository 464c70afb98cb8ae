import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { findProgram } from "#roles/packages.ts";
import { curl, eventually, run, startCluster, whyNoCluster, type TestCluster } from "../cluster.ts";

const root = join(import.meta.dirname, "../../..");
const hasIPv6 = existsSync("/proc/net/if_inet6");
const ranges = ["--service-cidr=10.96.0.0/16,fd00:10:96::/112", "--pod-cidr=10.244.0.0/16,fd00:10:244::/48"];
const skip = whyNoCluster() || (findProgram("iptables-save") === undefined ? "needs iptables" : false);

interface Line {
  readonly mode: string;
  readonly family: 4 | 6;
  readonly rule: string;
  readonly because: { kind: string; name: string }[];
  readonly count?: string;
  readonly isUnknown?: boolean;
}

/** What `fairlead rules` says of a cluster that runs, and of the rules that stand on its node. */
describe("fairlead rules of a running cluster", { skip }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster({
      manifests: [join(root, "examples/quickstart")],
      args: ["--nodes", "1", ...(hasIPv6 ? ranges : [])],
    });
  });
  after(() => cluster?.purge());

  const env = { PATH: process.env["PATH"] ?? "" };
  function rules(...args: string[]): Line[] {
    const argv = [join(root, "bin/fairlead.ts"), "rules", "--json", "--data-dir", cluster.dataDir];
    argv.push(...(hasIPv6 ? ranges : []), ...args);
    const { status, stdout, stderr } = run(process.execPath, argv, { env });
    assert.equal(status, 0, stderr);
    return stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
  }
  const inNode = (...argv: string[]) => {
    const [name = ""] = readdirSync("/run/netns").filter((name) => name.endsWith("node-1"));
    return run("nsenter", [`--net=/run/netns/${name}`, ...argv]);
  };
  const ofHello = (lines: readonly Line[]) =>
    lines.filter(({ because }) => because.some(({ kind, name }) => kind === "Service" && name === "hello"));
  const clusterIP = () => cluster.kubectl("get", "service", "hello", "-o", "jsonpath={.spec.clusterIP}");

  test("says what each mode would have, and what stands there is what would", async () => {
    const would = rules();
    assert.deepEqual([...new Set(would.map(({ mode }) => mode))], ["nftables", "iptables", "ipvs"]);
    await eventually(() => {
      const live = rules("--live");
      assert.deepEqual([...new Set(live.map(({ mode }) => mode))], ["nftables"]);
      assert.deepEqual(
        live.filter(({ isUnknown }) => isUnknown).map(({ rule }) => rule),
        [],
      );
      assert.ok(ofHello(live).length > 0);
    });
  });

  test("counts the connections of each endpoint, and tells what nobody asked for", async () => {
    assert.match(curl(`http://${clusterIP()}/`), /^Hostname: hello-/);
    await eventually(() => {
      const counts = ofHello(rules("--live", "--mode", "nftables")).map(({ count }) => count);
      assert.ok(
        counts.some((count) => /^[1-9]\d* connections$/.test(count ?? "")),
        JSON.stringify(counts),
      );
    });
    // Until the service proxy looks, and takes it away.
    await eventually(() => {
      const foreign = "cluster-ips { 10.99.99.99 }";
      assert.equal(inNode("nft", `add element ip kube-proxy ${foreign}`).status, 0);
      const unknown = rules("--live").filter(({ isUnknown }) => isUnknown);
      assert.deepEqual(
        unknown.map(({ rule }) => rule),
        [`add element ip kube-proxy ${foreign}`],
      );
    });
  });

  test(
    "what stands there of IPv6 is told beside that of IPv4",
    { skip: hasIPv6 ? false : "this kernel has no IPv6" },
    async () => {
      const selector = JSON.parse(cluster.kubectl("get", "service", "hello", "-o", "jsonpath={.spec.selector}"));
      const spec = { selector, ipFamilies: ["IPv6"], ports: [{ port: 80, targetPort: "http" }] };
      const six = { apiVersion: "v1", kind: "Service", metadata: { name: "six" }, spec };
      cluster.kubectlWith(JSON.stringify(six), "apply", "-f", "-");
      const address = cluster.kubectl("get", "service", "six", "-o", "jsonpath={.spec.clusterIP}");
      await eventually(() => {
        assert.match(curl(`http://[${address}]/`), /^Hostname: hello-/);
        const live = rules("--live").filter(({ family }) => family === 6);
        const ofSix = live.filter(({ because }) => because.some(({ name }) => name === "six"));
        assert.ok(
          ofSix.some(({ rule }) => rule.startsWith(`add element ip6 kube-proxy services { ${address} . tcp . 80 :`)),
        );
        assert.ok(ofSix.some(({ count }) => /^[1-9]\d* connections$/.test(count ?? "")));
        assert.deepEqual(
          live.filter(({ isUnknown }) => isUnknown).map(({ rule }) => rule),
          [],
        );
      });
    },
  );

  test("in the mode iptables each rule has its packets", async () => {
    const map = JSON.parse(cluster.kubectl("get", "configmap", "kube-proxy", "-n", "kube-system", "-o", "json"));
    map.data["config.conf"] = map.data["config.conf"].replace('mode: ""', "mode: iptables");
    cluster.kubectlWith(JSON.stringify(map), "replace", "-f", "-");
    await eventually(() => {
      curl(`http://${clusterIP()}/`);
      const live = rules("--live");
      assert.deepEqual([...new Set(live.map(({ mode }) => mode))], ["iptables"]);
      assert.deepEqual(
        live.filter(({ isUnknown }) => isUnknown).map(({ rule }) => rule),
        [],
      );
      const hit = ofHello(live).find(({ count }) => /^[1-9]\d* packets, \d+ bytes$/.test(count ?? ""));
      assert.ok(hit, JSON.stringify(ofHello(live)));
      assert.deepEqual([...new Set(live.map(({ family }) => family))], hasIPv6 ? [4, 6] : [4]);
    }, 30_000);
  });
});
