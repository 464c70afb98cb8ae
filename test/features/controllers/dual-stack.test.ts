import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import type { IpFamily, ServiceSpec } from "#api/core/service/kind.ts";
import { kinds } from "#api/kinds.ts";
import { createLocalClient } from "#apiserver/local.ts";
import { openRegistry } from "#apiserver/registry/registry.ts";
import { fillIpFamilies } from "#controllers/service-ip/families.ts";
import { createServiceIpAllocator } from "#controllers/service-ip/allocator.ts";
import { createMemoryStore } from "#store/drivers/memory.ts";
import { service, startCluster } from "./cluster.ts";

const ranges: Readonly<Record<IpFamily, string>> = { IPv4: "10.96.0.0/16", IPv6: "fd00:10:96::/108" };
const key = { namespace: "dev", name: "web" };

/** The registry of a cluster of these families, with defaults, validation and allocation; picks are always the first. */
async function startRegistry(...families: [IpFamily, ...IpFamily[]]) {
  const options = { families, client: () => client, log: silentLog, clock: systemClock, random: () => 0 };
  const ips = createServiceIpAllocator(options);
  const registry = await openRegistry({ store: createMemoryStore(), definitions: kinds, admissions: [ips] });
  const client = createLocalClient(registry, { name: "admin", groups: ["system:masters"] });
  const cidrs = families.map((family) => ranges[family]);
  await client.create("ServiceCIDR", { metadata: { name: "kubernetes" }, spec: { cidrs } });
  await ips.open();
  await client.create("Namespace", { metadata: { name: "dev" } });
  return {
    client,
    addresses: async () => (await client.list("IPAddress")).items.map(({ metadata }) => metadata.name).sort(),
    async create(spec: Partial<ServiceSpec>) {
      return (await client.create("Service", service("web", { selector: { app: "web" }, ...spec }))).spec;
    },
    async patch(spec: Record<string, unknown>) {
      return (await client.patch("Service", key, { spec })).spec;
    },
    [Symbol.dispose]() {
      ips.stop();
      registry.stop();
    },
  };
}

const show = ({ ipFamilyPolicy, ipFamilies = [], clusterIPs = [] }: ServiceSpec) =>
  `${ipFamilyPolicy ?? ""} ${ipFamilies.join()} ${clusterIPs.join()}`.trim();
const [four, six] = ["10.96.1.1", "fd00:10:96::101"];

const made: [what: string, spec: Partial<ServiceSpec>, wanted: string][] = [
  ["nothing asked for is one family, the primary one", {}, `SingleStack IPv4 ${four}`],
  ["the other family alone", { ipFamilies: ["IPv6"] }, `SingleStack IPv6 ${six}`],
  ["both preferred", { ipFamilyPolicy: "PreferDualStack" }, `PreferDualStack IPv4,IPv6 ${four},${six}`],
  ["both required", { ipFamilyPolicy: "RequireDualStack" }, `RequireDualStack IPv4,IPv6 ${four},${six}`],
  [
    "both, in the order asked for",
    { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv6", "IPv4"] },
    `RequireDualStack IPv6,IPv4 ${six},${four}`,
  ],
  [
    "one family given, the other added behind",
    { ipFamilyPolicy: "PreferDualStack", ipFamilies: ["IPv6"] },
    `PreferDualStack IPv6,IPv4 ${six},${four}`,
  ],
  [
    "families by the addresses given",
    { ipFamilyPolicy: "PreferDualStack", clusterIPs: ["fd00:10:96::5", "10.96.0.5"], clusterIP: "fd00:10:96::5" },
    "PreferDualStack IPv6,IPv4 fd00:10:96::5,10.96.0.5",
  ],
  [
    "one address given, the other picked",
    { ipFamilyPolicy: "RequireDualStack", clusterIP: "10.96.0.5" },
    `RequireDualStack IPv4,IPv6 10.96.0.5,${six}`,
  ],
  ["headless, with a selector", { clusterIP: "None" }, "SingleStack IPv4 None"],
  ["headless of both", { clusterIP: "None", ipFamilyPolicy: "PreferDualStack" }, "PreferDualStack IPv4,IPv6 None"],
  ["headless for anyone to fill", { clusterIP: "None", selector: {} }, "RequireDualStack IPv4,IPv6 None"],
  ["only a name", { type: "ExternalName", externalName: "example.com", ports: [] }, ""],
];

for (const [what, spec, wanted] of made) {
  test(`a cluster of both families: ${what}`, async () => {
    using registry = await startRegistry("IPv4", "IPv6");
    const stored = await registry.create(spec);
    assert.equal(show(stored), wanted);
    assert.equal(stored.clusterIP ?? "", stored.clusterIPs?.[0] ?? "");
    const held = (stored.clusterIPs ?? []).filter((address) => address !== "None");
    assert.deepEqual(await registry.addresses(), held.sort());
  });
}

const refused: [what: string, families: [IpFamily, ...IpFamily[]], spec: Partial<ServiceSpec>, message: string][] = [
  [
    "two families of one stack",
    ["IPv4", "IPv6"],
    { ipFamilies: ["IPv4", "IPv6"] },
    "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
  ],
  [
    "an address of another family than it says",
    ["IPv4", "IPv6"],
    { clusterIP: "10.96.0.5", ipFamilies: ["IPv6"] },
    'spec.clusterIPs[0]: Invalid value: "10.96.0.5": expected an IPv6 value as indicated by `ipFamilies[0]`',
  ],
  [
    "two addresses of one family",
    ["IPv4", "IPv6"],
    { clusterIP: "10.96.0.5", clusterIPs: ["10.96.0.5", "10.96.0.6"], ipFamilyPolicy: "PreferDualStack" },
    "may specify no more than one IP for each IP family",
  ],
  [
    "an address of IPv6 outside of the range",
    ["IPv4", "IPv6"],
    { clusterIP: "fd00:99::1" },
    "failed to allocate IP fd00:99::1: the provided network does not match the current range",
  ],
  [
    "a family that the cluster has not",
    ["IPv4"],
    { ipFamilies: ["IPv6"] },
    'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
  ],
  [
    "both, where there is one",
    ["IPv6"],
    { ipFamilyPolicy: "RequireDualStack" },
    'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
  ],
];

for (const [what, families, spec, message] of refused) {
  test(`refused: ${what}; nothing stays allocated`, async () => {
    using registry = await startRegistry(...families);
    await assert.rejects(registry.create(spec), (error: Error) => {
      assert.ok(error.message.includes(message), error.message);
      return true;
    });
    assert.deepEqual(await registry.addresses(), []);
  });
}

const changes: [
  what: string,
  before: Partial<ServiceSpec>,
  patch: Record<string, unknown>,
  wanted: string,
  problem?: string,
][] = [
  ["a second address comes", {}, { ipFamilyPolicy: "PreferDualStack" }, `PreferDualStack IPv4,IPv6 ${four},${six}`],
  [
    "the second one goes",
    { ipFamilyPolicy: "RequireDualStack" },
    { ipFamilyPolicy: "SingleStack" },
    `SingleStack IPv4 ${four}`,
  ],
  [
    "the second one goes, by name",
    { ipFamilyPolicy: "RequireDualStack" },
    { ipFamilyPolicy: "SingleStack", clusterIPs: [four], ipFamilies: ["IPv4"] },
    `SingleStack IPv4 ${four}`,
  ],
  [
    "the second one does not go without saying so",
    { ipFamilyPolicy: "RequireDualStack" },
    { clusterIPs: [four] },
    "",
    // As upstream: a second one is picked for a Service that still requires it, and is not the one it had.
    "spec.clusterIPs[1]: Invalid value",
  ],
  ["the first family stays", {}, { ipFamilies: ["IPv6"] }, "", "spec.ipFamilies[0]: Invalid value"],
  [
    "headless changes its families freely",
    { clusterIP: "None" },
    { ipFamilies: ["IPv6"], ipFamilyPolicy: "SingleStack" },
    "SingleStack IPv6 None",
  ],
  [
    "a name gives both addresses back",
    { ipFamilyPolicy: "RequireDualStack" },
    { type: "ExternalName", externalName: "example.com" },
    "",
  ],
  [
    "a name becomes a Service of both",
    { type: "ExternalName", externalName: "example.com" },
    { type: "ClusterIP", externalName: null, ipFamilyPolicy: "RequireDualStack" },
    `RequireDualStack IPv4,IPv6 ${four},${six}`,
  ],
];

for (const [what, before, patch, wanted, problem] of changes) {
  test(`changed: ${what}`, async () => {
    using registry = await startRegistry("IPv4", "IPv6");
    const first = await registry.create(before);
    if (problem !== undefined) {
      await assert.rejects(registry.patch(patch), (error: Error) => error.message.includes(problem));
      const kept = (await registry.client.get("Service", key))?.spec ?? {};
      assert.equal(show(kept), show(first));
      return;
    }
    const stored = await registry.patch(patch);
    assert.equal(show(stored), wanted);
    const held = (stored.clusterIPs ?? []).filter((address) => address !== "None");
    assert.deepEqual(await registry.addresses(), held.sort());
  });
}

test("a Service that prefers both, made before the cluster had them, gets a second address only when asked for", () => {
  const one: Partial<ServiceSpec> = { clusterIP: four, clusterIPs: [four], ipFamilies: ["IPv4"] };
  const made = service("web", { ...one, ipFamilyPolicy: "PreferDualStack" });
  const update = structuredClone(made);
  update.spec.sessionAffinity = "ClientIP";
  assert.deepEqual(fillIpFamilies(update, made, ["IPv4", "IPv6"]), []);
  assert.equal(show(update.spec), `PreferDualStack IPv4 ${four}`);
  update.spec.ipFamilyPolicy = "RequireDualStack";
  assert.deepEqual(fillIpFamilies(update, made, ["IPv4", "IPv6"]), []);
  assert.equal(show(update.spec), `RequireDualStack IPv4,IPv6 ${four}`);
});

test("pods of both families are in slices of each family that the Service has, and in Endpoints by its first", async () => {
  const podOf = (name: string, ...ips: string[]) => ({
    apiVersion: "v1" as const,
    kind: "Pod" as const,
    metadata: { namespace: "dev", name, uid: name, labels: { app: "web" } },
    spec: { nodeName: "node-1", containers: [{ name: "c", image: "echo", ports: [{ containerPort: 80 }] }] },
    status: {
      phase: "Running" as const,
      podIP: ips[0] ?? "",
      podIPs: ips.map((ip) => ({ ip })),
      conditions: [{ type: "Ready" as const, status: "True" as const }],
    },
  });
  const both = service("web", {
    clusterIP: six,
    clusterIPs: [six, four],
    ipFamilies: ["IPv6", "IPv4"],
    ipFamilyPolicy: "RequireDualStack",
    selector: { app: "web" },
  });
  const pods = [podOf("a", "10.244.1.2", "fd00:10:244:1::2"), podOf("b", "10.244.1.3")];
  const cluster = await startCluster([{ apiVersion: "v1", kind: "Node", metadata: { name: "node-1" } }, both, ...pods]);
  await cluster.settle();
  const slices = (await cluster.client.list("EndpointSlice")).items;
  const shown = slices.map(({ addressType, endpoints }) => {
    return `${addressType} ${endpoints.map(({ addresses }) => addresses.join()).join(" ")}`;
  });
  assert.deepEqual(shown.sort(), ["IPv4 10.244.1.2 10.244.1.3", "IPv6 fd00:10:244:1::2"]);
  const endpoints = await cluster.client.get("Endpoints", key);
  assert.deepEqual(
    endpoints?.subsets?.flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip)),
    ["fd00:10:244:1::2"],
  );
  await cluster.controllers.stop();
});
