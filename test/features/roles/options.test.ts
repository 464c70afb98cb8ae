import assert from "node:assert/strict";
import { test } from "node:test";
import { formatCidr } from "#base/cidr.ts";
import { checkOptions, defaultDataDir, defaultOptions, parsePortRange, type UpOptions } from "#roles/options.ts";

const options = (change: Partial<UpOptions> = {}): UpOptions => ({ ...defaultOptions, dataDir: "/x", ...change });

test("the default ranges give upstream's well-known addresses", () => {
  const checked = checkOptions(options());
  assert.ok("plan" in checked);
  assert.equal(checked.plan.apiServiceAddress, "10.96.0.1");
  assert.equal(checked.plan.dnsServiceAddress, "10.96.0.10");
  assert.equal(checked.plan.uplinkAddress, "172.30.0.254");
});

test("ranges of both families stand in one flag each, and nodes have theirs without being told", () => {
  const checked = checkOptions(
    options({ serviceCidr: "10.96.0.0/16,fd00:10:96::/112", podCidr: "fd00:10:244::/48,10.244.0.0/16" }),
  );
  assert.ok("plan" in checked);
  const { ipv6 } = checked.plan;
  assert.ok(ipv6);
  assert.deepEqual([ipv6.service, ipv6.pod, ipv6.node].map(formatCidr), [
    "fd00:10:96::/112",
    "fd00:10:244::/48",
    "fd00:172:30::/64",
  ]);
  assert.equal(checked.plan.apiServiceAddress, "10.96.0.1");
});

test("outside addresses may come from several ranges, also among those of the nodes", () => {
  assert.ok("plan" in checkOptions(options({ loadBalancerCidrs: ["172.31.0.0/24", "172.30.0.128/26", "fd00::/64"] })));
});

const refused: [change: Partial<UpOptions>, problem: RegExp][] = [
  [{ apiPort: 0 }, /^--api-port: must be a port between 1 and 65535, not 0$/],
  [{ httpPort: 70_000 }, /^--http-port: .* not 70000$/],
  [{ nodes: 0 }, /^--nodes: must be between 1 and 16, not 0$/],
  [{ nodes: 17 }, /^--nodes: /],
  [{ clusterDomain: "Cluster_local" }, /^--cluster-domain: Cluster_local is not a domain name/],
  [{ serviceCidr: "10.96.0.0" }, /^--service-cidr: 10.96.0.0 is not an IPv4 range/],
  [{ serviceCidr: "fd00::/108" }, /^--service-cidr: fd00::\/108 has no IPv4 range/],
  [{ serviceCidr: "10.96.0.0/16,fd00::/112" }, /^--pod-cidr: needs a range of IPv6 as well/],
  [{ podCidr: "10.244.0.0/16,fd00::/48" }, /^--service-cidr: needs a range of IPv6 as well/],
  [
    { serviceCidr: "10.96.0.0/16,fd00::/64", podCidr: "10.244.0.0/16,fd01::/48" },
    /^--service-cidr: fd00::\/64 is too large; \/108 or narrower is needed$/,
  ],
  [
    { serviceCidr: "10.96.0.0/16,fd00::/112", podCidr: "10.244.0.0/16,fd01::/120" },
    /^--pod-cidr: fd01::\/120 is too small; \/115 or wider is needed$/,
  ],
  [
    { serviceCidr: "10.96.0.0/16,fd00::/112", podCidr: "10.244.0.0/16,fd00::/48" },
    /^--service-cidr and --pod-cidr overlap$/,
  ],
  [{ serviceCidr: "10.96.0.0/16,10.112.0.0/16" }, /^--service-cidr: 10.96.0.0\/16,10.112.0.0\/16 is not an IPv4 range/],
  [{ serviceCidr: "10.96.0.0/30" }, /^--service-cidr: .* is too small/],
  [{ podCidr: "10.244.0.0/24" }, /^--pod-cidr: .* is too small/],
  [{ podCidr: "10.96.0.0/16" }, /^--service-cidr and --pod-cidr overlap$/],
  [{ serviceNodePortRange: "32767-30000" }, /^--service-node-port-range: 32767-30000 is not a range of ports/],
  [
    { etcd: { servers: ["10.0.0.1:2379"] } },
    /^--etcd-servers: 10.0.0.1:2379 is not http:\/\/ or https:\/\/, a host and a port/,
  ],
  [{ etcd: { servers: ["https://a:b@etcd:2379"] } }, /^--etcd-servers: /],
  [{ etcd: { servers: ["https://etcd:2379/path"] } }, /^--etcd-servers: /],
  [{ etcd: { servers: ["https://etcd:99999"] } }, /^--etcd-servers: /],
  [{ etcd: { servers: ["https://a:2379", "http://b:2379"] } }, /^--etcd-servers: either all are http:\/\/ or all/],
  [{ etcd: { servers: [], cafile: "/ca" } }, /^--etcd-cafile: has no use without --etcd-servers$/],
  [{ etcd: { servers: ["http://a:2379"], cafile: "/ca" } }, /^--etcd-cafile: .* must all be https/],
  [{ etcd: { servers: ["https://a:2379"], certfile: "/c" } }, /^--etcd-certfile and --etcd-keyfile go together/],
  [{ tcpServicesConfigMap: "tcp-services" }, /^--tcp-services-configmap: tcp-services is not namespace\/name/],
  [{ udpServicesConfigMap: "a/b/c" }, /^--udp-services-configmap: a\/b\/c is not namespace\/name/],
  [{ nodeCidr: "10.244.9.0/24" }, /^--pod-cidr and --node-cidr overlap$/],
  [{ loadBalancerCidrs: ["172.31.0.1"] }, /^--load-balancer-cidr: 172\.31\.0\.1 is not a range/],
  [{ loadBalancerCidrs: ["10.97.0.0/24"] }, /^--load-balancer-cidr and --service-cidr overlap$/],
  [
    { loadBalancerCidrs: ["172.31.0.0/24", "172.31.0.128/25"] },
    /^--load-balancer-cidr: 172\.31\.0\.128\/25 overlaps 172\.31\.0\.0\/24$/,
  ],
];

for (const [change, problem] of refused) {
  test(`${JSON.stringify(change)} is refused by naming the flag`, () => {
    const checked = checkOptions(options(change));
    assert.ok("problems" in checked);
    assert.equal(checked.problems.length, 1);
    assert.match(checked.problems[0] ?? "", problem);
  });
}

test("all problems are told at once", () => {
  const checked = checkOptions(options({ apiPort: -1, nodes: 0, podCidr: "x" }));
  assert.ok("problems" in checked);
  assert.equal(checked.problems.length, 3);
});

test("root keeps its data under /var/lib, others in their own data folder", () => {
  assert.equal(defaultDataDir(true, {}), "/var/lib/fairlead");
  assert.equal(defaultDataDir(false, { XDG_DATA_HOME: "/home/a/.data" }), "/home/a/.data/fairlead");
});

const portRanges: [text: string, range: ReturnType<typeof parsePortRange>][] = [
  ["30000-32767", { first: 30_000, last: 32_767 }],
  ["30000+10", { first: 30_000, last: 30_010 }],
  ["80", { first: 80, last: 80 }],
  ["1-65535", { first: 1, last: 65_535 }],
  ["0-100", undefined],
  ["30000-", undefined],
  ["30000-70000", undefined],
  ["65535+1", undefined],
  ["-1-5", undefined],
  ["a-b", undefined],
  ["", undefined],
];

for (const [text, range] of portRanges) {
  test(`the port range ${JSON.stringify(text)} is ${range === undefined ? "none" : "read as upstream reads it"}`, () => {
    assert.deepEqual(parsePortRange(text), range);
  });
}
