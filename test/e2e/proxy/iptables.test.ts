import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { silentLog } from "#base/log.ts";
import type { ProxyMode, ProxyNode } from "#proxy/mode.ts";
import { iptables } from "#proxy/modes/iptables/mode.ts";
import { compileTable } from "#routing/l4/compile.ts";
import { diffServices } from "#routing/l4/diff.ts";
import type { ServiceDiff } from "#routing/l4/table.ts";
import { hasIPv6, plans } from "./ground.ts";
import { serviceOf, sliceOf, type Wanted } from "./objects.ts";

const isReady = process.getuid?.() === 0 && spawnSync("iptables", ["--version"]).status === 0;
const node: ProxyNode = {
  name: "node-1",
  addresses: ["172.30.0.11"],
  podCidrs: ["10.244.0.0/16"],
  serviceCidrs: ["10.96.0.0/12"],
};

/** One Service of each kind of rule. */
const all: readonly Wanted[] = [
  { name: "plain", clusterIP: "10.96.0.20", pods: ["pod-a", "pod-b", "pod-c"] },
  { name: "sticky", clusterIP: "10.96.0.21", pods: ["pod-a", "pod-c"], spec: { sessionAffinity: "ClientIP" } },
  {
    name: "empty",
    clusterIP: "10.96.0.22",
    pods: [],
    ports: [{ port: 80, nodePort: 30_022 }],
    spec: { type: "NodePort" },
  },
  { name: "udp", clusterIP: "10.96.0.23", pods: ["pod-a"], ports: [{ name: "dns", port: 53, protocol: "UDP" }] },
  { name: "sctp", clusterIP: "10.96.0.24", pods: ["pod-a"], ports: [{ name: "s", port: 53, protocol: "SCTP" }] },
  { name: "inside", clusterIP: "10.96.0.25", pods: ["pod-c"], spec: { internalTrafficPolicy: "Local" } },
  {
    name: "outside",
    clusterIP: "10.96.0.26",
    pods: ["pod-a"],
    ports: [{ port: 80, nodePort: 30_026 }],
    spec: { type: "NodePort", externalTrafficPolicy: "Local" },
  },
  {
    name: "balanced",
    clusterIP: "10.96.0.27",
    pods: ["pod-b"],
    ports: [{ port: 80, nodePort: 30_027 }],
    spec: {
      type: "LoadBalancer",
      externalIPs: ["192.0.2.1"],
      externalTrafficPolicy: "Local",
      healthCheckNodePort: 30_028,
      loadBalancerSourceRanges: ["172.30.0.0/24", "203.0.113.7/32"],
    },
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.2", ipMode: "VIP" }] } },
  },
];
/** The same of IPv6. */
const all6 = all.map((wanted): Wanted => {
  const { spec = {}, status } = wanted;
  return {
    ...wanted,
    clusterIP: plans[6].clusterIP(Number(wanted.clusterIP.split(".").at(-1))),
    spec: {
      ...spec,
      ...(spec.externalIPs && { externalIPs: [plans[6].external(1)] }),
      ...(spec.loadBalancerSourceRanges && { loadBalancerSourceRanges: ["fd00:172:30::/64", "2001:DB8:0:0:1::7/128"] }),
    },
    ...(status && { status: { loadBalancer: { ingress: [{ ip: plans[6].external(2), ipMode: "VIP" }] } } }),
  };
});
const node6: ProxyNode = {
  name: "node-1",
  family: 6,
  addresses: [plans[6].nodes["node-1"]],
  podCidrs: [plans[6].podCidr],
  serviceCidrs: [plans[6].serviceCidr],
};
const tableOf = (wanted: readonly Wanted[]) =>
  compileTable(
    wanted.map((one) => serviceOf(one)),
    wanted.map((one) => sliceOf(one)),
  );
const between = (before: readonly Wanted[], after: readonly Wanted[]): ServiceDiff =>
  diffServices(tableOf(before), tableOf(after));
const everything = between([], all);
const saved = () => execFileSync("iptables-save", { encoding: "utf8", maxBuffer: 1 << 26 });
const ours = () => saved().match(/KUBE-\S+/g) ?? [];
const run = (...argv: string[]) => execFileSync(argv[0] ?? "", argv.slice(1), { encoding: "utf8" });

describe("the mode iptables and the kernel", { skip: isReady ? false : "needs root and iptables" }, () => {
  let mode: ProxyMode;
  before(() => void run("ip", "link", "set", "lo", "up"));
  beforeEach(async () => {
    await iptables.cleanup(node);
    mode = iptables.start(node, { log: silentLog });
    await mode.apply(everything);
  });
  after(() => iptables.cleanup(node));

  test("a new start finds every rule again and changes none", async () => {
    const rules = saved().replaceAll(/^#.*$/gm, "");
    const next = iptables.start(node, { log: silentLog });
    assert.equal((await next.apply(everything)).changes, 0);
    assert.equal(saved().replaceAll(/^#.*$/gm, ""), rules);
    assert.equal(await next.isIntact?.(), true);
  });

  const withoutIPv6 = hasIPv6 ? false : "this kernel has no IPv6";
  test(
    "IPv6 has rules of its own: a new start finds each again, and they go alone",
    { skip: withoutIPv6 },
    async () => {
      const rules = saved();
      const services = all6.map((one) => serviceOf(one));
      const slices = all6.map((one) => sliceOf(one));
      const everything6 = diffServices(undefined, compileTable(services, slices, 6));
      const first = iptables.start(node6, { log: silentLog });
      assert.ok((await first.apply(everything6)).changes > 30);
      assert.deepEqual(first.problems?.(), []);
      const next = iptables.start(node6, { log: silentLog });
      assert.equal((await next.apply(everything6)).changes, 0);
      assert.equal(await next.isIntact?.(), true);
      await iptables.cleanup(node6);
      assert.doesNotMatch(run("ip6tables-save"), /KUBE-/);
      assert.equal(saved().replaceAll(/^#.*$/gm, ""), rules.replaceAll(/^#.*$/gm, ""));
      assert.equal(await mode.isIntact?.(), true);
    },
  );

  test("a change of endpoints writes the chains of that Service and nothing else", async () => {
    const [plain, ...others] = all as readonly [Wanted, ...Wanted[]];
    const change = between(all, [{ ...plain, pods: ["pod-a", "pod-b"] }, ...others]);
    // Two of three endpoints are left: the chain that chooses is written, the third endpoint's is deleted.
    assert.equal((await mode.apply(change)).changes, 3);
    assert.equal(await mode.isIntact?.(), true);
  });

  test("a new start takes over what an earlier one left, and deletes what nobody wants any more", async () => {
    const next = iptables.start(node, { log: silentLog });
    await next.apply(between([], all.slice(0, 1)));
    const fresh = iptables.start(node, { log: silentLog });
    assert.equal((await fresh.apply(between([], all.slice(0, 1)))).changes, 0);
    assert.equal(new Set(ours().filter((name) => name.startsWith("KUBE-SEP-"))).size, 3);
    assert.doesNotMatch(saved(), /default\/(?!plain)/);
  });

  for (const [what, ...argv] of [
    ["a jump", "-t", "nat", "-D", "PREROUTING", "1"],
    ["all rules of the translation", "-t", "nat", "-F"],
    ["the rules of one chain", "-t", "nat", "-F", "KUBE-NODEPORTS"],
    ["the refusals", "-t", "filter", "-F", "KUBE-SERVICES"],
  ]) {
    test(`${what} that another program deleted is missed, and made again`, async () => {
      const rules = saved().replaceAll(/^#.*$/gm, "");
      run("iptables", ...argv);
      assert.equal(await mode.isIntact?.(), false);
      await mode.apply(everything);
      assert.equal(await mode.isIntact?.(), true);
      assert.deepEqual(saved().replaceAll(/^#.*$/gm, "").split("\n").sort(), rules.split("\n").sort());
    });
  }

  test("rules of others stand through all of it", async () => {
    run("iptables", "-t", "nat", "-N", "THEIRS");
    run("iptables", "-t", "nat", "-A", "POSTROUTING", "-j", "THEIRS");
    await iptables.start(node, { log: silentLog }).apply(everything);
    await iptables.cleanup(node);
    assert.deepEqual(ours(), []);
    assert.match(saved(), /-A POSTROUTING -j THEIRS/);
    run("iptables", "-t", "nat", "-F", "POSTROUTING");
    run("iptables", "-t", "nat", "-X", "THEIRS");
  });

  test("five thousand rules are loaded in calls of limited size, and are all there", async () => {
    const many = Array.from({ length: 800 }, (_, index): Wanted => {
      return { name: `s-${index}`, clusterIP: `10.97.${index >> 8}.${index & 255}`, pods: ["pod-a", "pod-b", "pod-c"] };
    });
    await mode.apply(between(all, many));
    assert.equal(await mode.isIntact?.(), true);
    assert.equal(saved().match(/-A KUBE-SERVICES -d 10\.97\./g)?.length, 800);
    await mode.apply(between(many, all));
    assert.equal(await mode.isIntact?.(), true);
  });

  test("without the program the mode says which package brings it, and has nothing to clean up", async () => {
    const path = process.env["PATH"];
    const folder = mkdtempSync(join(tmpdir(), "fairlead-path-"));
    for (const program of ["nsenter", "ip", "sysctl"]) symlinkSync(run("which", program).trim(), join(folder, program));
    process.env["PATH"] = folder;
    try {
      for (const netns of [undefined, "/proc/self/ns/net"]) {
        const probed = await iptables.probe({ ...node, ...(netns === undefined ? {} : { netns }) });
        assert.match(
          probed.works ? "" : probed.reason,
          /iptables-restore cannot be run .*install the package iptables/s,
        );
        await iptables.cleanup({ ...node, ...(netns === undefined ? {} : { netns }) });
      }
    } finally {
      process.env["PATH"] = path;
    }
  });
});
