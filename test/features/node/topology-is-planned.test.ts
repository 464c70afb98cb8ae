import assert from "node:assert/strict";
import { test } from "node:test";
import { compileConflicts } from "#node/network/conflict.ts";
import { allAddresses } from "#node/network/ipv6.ts";
import { compileRemovals } from "#node/network/outside.ts";
import { compileTopology } from "#node/network/plan.ts";

const plan = compileTopology({ clusterId: "abc123" });

test("nodes get the product's addresses", () => {
  assert.deepEqual(
    plan.nodes.map(({ name, address, podCidr, gateway }) => [name, address, podCidr, gateway]),
    [
      ["node-1", "172.30.0.11", "10.244.1.0/24", "10.244.1.1"],
      ["node-2", "172.30.0.12", "10.244.2.0/24", "10.244.2.1"],
      ["node-3", "172.30.0.13", "10.244.3.0/24", "10.244.3.1"],
    ],
  );
  assert.deepEqual(plan.uplink, { address: "172.30.0.254", device: "flabc123up" });
});

test("in a cluster of both families every range of IPv6 has its wall first, and every address its place", () => {
  const both = compileTopology({
    clusterId: "abc123",
    nodeCount: 2,
    podCidr: "10.244.0.0/16,fd00:10:244::/48",
    serviceCidr: "10.96.0.0/16,fd00:10:96::/112",
    loadBalancerCidrs: ["fd00:172:31::/120", "fd00:172:30::ff00/120"],
  });
  assert.deepEqual(both.outside, ["fd00:172:31::/120"]);
  assert.ok(both.nodeScripts[1]?.lines.includes("route replace fd00:172:31::/120 dev eth0 src fd00:172:30::c"));
  assert.deepEqual(
    both.nodes.map(({ ipv6 }) => ipv6),
    [
      { address: "fd00:172:30::b", podCidr: "fd00:10:244:1::/64", gateway: "fd00:10:244:1::1" },
      { address: "fd00:172:30::c", podCidr: "fd00:10:244:2::/64", gateway: "fd00:10:244:2::1" },
    ],
  );
  const walls = ["fd00:10:96::/112", "fd00:10:244::/48", "fd00:172:30::/64", "fd00:172:31::/120"];
  for (const { lines } of [{ lines: both.host }, ...both.nodeScripts]) {
    const first = lines.findIndex((line) => line.startsWith("link add") || line.startsWith("netns add"));
    for (const range of walls) {
      const at = lines.findIndex((line) => line.startsWith(`route replace unreachable ${range} `));
      assert.ok(at !== -1 && at < first, range);
    }
  }
  assert.deepEqual(both.host6, ["rule add iif flabc123up unreachable pref 90"]);
  for (const { lines6 } of both.nodeScripts) {
    assert.deepEqual(lines6, [
      "rule add iif eth0 to fd00:10:96::/112 unreachable pref 1000",
      "rule add iif cni0 to fd00:10:96::/112 unreachable pref 1001",
    ]);
  }
  const [node] = both.nodes;
  assert.ok(node);
  assert.deepEqual(allAddresses(node, "10.244.1.17"), ["10.244.1.17", "fd00:10:244:1::11"]);
  assert.deepEqual(allAddresses(node, "172.30.0.11"), ["172.30.0.11", "fd00:172:30::b"]);
  assert.deepEqual(compileConflicts(both, [{ dst: "fd00:10:96::/64", dev: "eth1" }]), [
    "the service CIDR fd00:10:96::/112 overlaps the route fd00:10:96::/64 of device eth1: choose another range or remove it",
  ]);
});

test("a cluster of IPv4 has no line of IPv6", () => {
  const lines = [...plan.host, ...plan.nodeScripts.flatMap((script) => script.lines)];
  assert.deepEqual([...plan.host6, ...plan.nodeScripts.flatMap((script) => script.lines6)], []);
  assert.deepEqual(
    lines.filter((line) => line.includes("::")),
    [],
  );
});

test("no link name is longer than the kernel takes, and all names carry the cluster's", () => {
  assert.ok(plan.uplink.device.length <= 15);
  for (const name of plan.namespaces) assert.match(name, /^fl-abc123-/);
});

test("walls stand before anything else is made", () => {
  assert.deepEqual(
    plan.host.slice(0, 3).map((line) => line.split(" metric")[0]),
    ["10.96.0.0/12", "10.244.0.0/16", "172.30.0.0/24"].map((range) => `route replace unreachable ${range}`),
  );
  for (const { lines } of plan.nodeScripts) assert.match(lines[1] ?? "", /unreachable 10\.96\.0\.0\/12/);
});

test("outside addresses are looked for at the switch, those among the nodes without a route", () => {
  const ranges = ["172.31.0.0/24", "172.30.0.128/26", "fd00::/64"];
  const wide = compileTopology({ clusterId: "abc123", loadBalancerCidrs: ranges });
  const added = wide.host.filter((line) => !plan.host.includes(line)).map((line) => line.split(" metric")[0]);
  assert.deepEqual(added, [
    "route replace unreachable 172.31.0.0/24",
    "route replace 172.31.0.0/24 dev flabc123up proto 184",
  ]);
  const [node] = wide.nodeScripts;
  assert.ok(node?.lines.includes("route replace 172.31.0.0/24 dev eth0 src 172.30.0.11"));
  for (const range of ["10.244.9.0/24", "172.30.0.0/16"]) {
    assert.throws(
      () => compileTopology({ clusterId: "a", loadBalancerCidrs: [range] }),
      /load balancer CIDR .* overlaps/,
    );
  }
});

test("what a range made is taken away when it goes, and nothing else", () => {
  const wide = compileTopology({ clusterId: "abc123", loadBalancerCidrs: ["172.31.0.0/24"] });
  const [machine, ...nodes] = compileRemovals(wide, plan);
  assert.deepEqual(
    machine?.lines.map((line) => line.split(" metric")[0]),
    ["route del unreachable 172.31.0.0/24", "route del 172.31.0.0/24 dev flabc123up proto 184"],
  );
  assert.equal(nodes.length, 3);
  for (const { lines } of nodes) assert.equal(lines.length, 2);
  assert.deepEqual(compileRemovals(plan, wide), []);
});

test("an id, a number of nodes or a range that cannot be is refused by name", () => {
  for (const [options, message] of [
    [{ clusterId: "toolong1" }, /cluster id/],
    [{ clusterId: "a;b" }, /cluster id/],
    [{ clusterId: "a", nodeCount: 17 }, /17 nodes/],
    [{ clusterId: "a", podCidr: "10.244.0.0/24" }, /pod CIDR .* too small/],
    [{ clusterId: "a", serviceCidr: "fd00::/108" }, /service CIDR .* not an IPv4 range/],
    [{ clusterId: "a", podCidr: "10.96.0.0/16" }, /overlaps/],
    [{ clusterId: "a", serviceCidr: "10.96.0.0/16,fd00::/112" }, /pod CIDR .*not an IPv6 range/],
    [{ clusterId: "a", podCidr: "10.244.0.0/16,fd00::/48", serviceCidr: "10.96.0.0/16,fd00::/112" }, /overlaps/],
  ] as const) {
    assert.throws(() => compileTopology(options), message);
  }
});

test("routes of somebody else that overlap are conflicts, each named once", () => {
  const conflicts = compileConflicts(plan, [
    { dst: "default", dev: "eth0" },
    { dst: "192.168.0.0/24", dev: "eth0" },
    { dst: "10.244.5.0/24", dev: "cni0" },
    { dst: "10.244.6.0/24", dev: "cni0" },
    { dst: "10.96.0.0/12", dev: "flxyzup" },
  ]);
  assert.deepEqual(conflicts, [
    "the pod CIDR 10.244.0.0/16 overlaps the route 10.244.5.0/24 of device cni0: choose another range or remove it",
    'the service CIDR 10.96.0.0/12 overlaps the route 10.96.0.0/12 of the Fairlead cluster "xyz": choose another range or remove it',
  ]);
});

test("Fairlead's own routes are no conflict", () => {
  const own = [
    { dst: "10.244.1.0/24", dev: "flabc123up", protocol: "184" },
    { dst: "10.244.0.0/16", type: "unreachable", protocol: "184" },
  ];
  assert.deepEqual(compileConflicts(plan, own), []);
});
