import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { KubeObject } from "#api/meta/object.ts";
import { assumeCluster } from "#insight/rules/assume.ts";
import { annotateLive } from "#insight/rules/live.ts";
import { renderRulesOf, rulesModes } from "#insight/rules/render.ts";
import type { ProxyNode } from "#proxy/mode.ts";
import { compileTable } from "#routing/l4/compile.ts";

const root = join(import.meta.dirname, "../../..");
const assuming = { serviceCidr: "10.96.0.0/12", podCidr: "10.244.0.0/16", node: "node-1" };
const node: ProxyNode = {
  name: "node-1",
  addresses: ["172.30.0.11"],
  podCidrs: ["10.244.0.0/16"],
  serviceCidrs: ["10.96.0.0/12"],
};

function service(name: string, spec: object = {}): KubeObject {
  const ports = [{ port: 80, targetPort: "http" }];
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { selector: { app: name }, ports, ...spec },
  } as KubeObject;
}
function deployment(name: string, replicas: number): KubeObject {
  const containers = [{ name: "c", image: "i", ports: [{ name: "http", containerPort: 8080 }] }];
  const template = { metadata: { labels: { app: name } }, spec: { containers } };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: { replicas, template },
  } as unknown as KubeObject;
}
const rulesOf = (mode: (typeof rulesModes)[number], objects: readonly KubeObject[]) => {
  const { services, slices } = assumeCluster(objects, assuming);
  return renderRulesOf(mode, compileTable(services, slices), node);
};

for (const mode of rulesModes) {
  test(`${mode}: every rule of a Service names it and its slice, the others are for all`, () => {
    const objects = [service("web", { type: "NodePort" }), deployment("web", 2)];
    const { rules, problems } = rulesOf(mode, objects);
    assert.deepEqual(problems, []);
    const own = rules.filter(({ because }) => because.length > 0);
    assert.ok(own.length > 5);
    for (const { because } of own) assert.deepEqual([because[0]?.kind, because[0]?.name], ["Service", "web"]);
    const [withSlice] = own.filter(({ text }) => /10\.244\.0\.1/.test(text));
    assert.deepEqual(
      withSlice?.because.map(({ kind, field }) => `${kind} ${field ?? ""}`.trim()),
      ["Service spec.ports[0]", "EndpointSlice"],
    );
    const forAll = rules.filter(({ because }) => because.length === 0).map(({ text }) => text);
    const without = rulesOf(mode, []).rules.map(({ text }) => text);
    assert.deepEqual(forAll, without);
  });

  test(`${mode}: of two Services that want one address the older's rules are shown, and the other is named`, () => {
    const created = (at: string) => ({ metadata: { creationTimestamp: at } });
    const one = service("one", { clusterIP: "10.96.0.9", selector: undefined });
    const two = service("two", { clusterIP: "10.96.0.9", selector: undefined });
    const objects = [
      { ...one, metadata: { ...one.metadata, ...created("2026-01-02T00:00:00Z").metadata } },
      { ...two, metadata: { ...two.metadata, ...created("2026-01-01T00:00:00Z").metadata } },
    ];
    const { rules, problems } = rulesOf(mode, objects);
    const owners = rules.flatMap(({ because }) => because.map(({ name }) => name));
    assert.deepEqual([...new Set(owners)], ["two"]);
    assert.match(problems[0]?.message ?? "", /default\/one.* is taken by the older default\/two/);
  });
}

for (const mode of rulesModes) {
  test(`${mode}: what a Service has of IPv6 is shown with the words of IPv6`, () => {
    const spec = { clusterIP: "fd00::9", clusterIPs: ["fd00::9"], ipFamilies: ["IPv6"], selector: undefined };
    const own = service("six", { ...spec, ports: [{ port: 80 }] });
    const endpoints = {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { name: "six" },
      subsets: [{ addresses: [{ ip: "fd01::1" }], ports: [{ port: 8080 }] }],
    } as unknown as KubeObject;
    const { services, slices } = assumeCluster([own, endpoints], assuming);
    const table = compileTable(services, slices, 6);
    const { rules, problems } = renderRulesOf(mode, table, {
      ...node,
      family: 6,
      addresses: [],
      podCidrs: [],
      serviceCidrs: [],
    });
    assert.deepEqual(problems, []);
    const six = rules.filter(({ because }) => because.length > 0).map(({ text }) => text);
    const words = { nftables: /^add \S+ ip6 kube-proxy /, iptables: /^ip6tables /, ipvs: /fd0[01]::/ }[mode];
    assert.ok(six.length > 0);
    for (const text of six) assert.match(text, words);
    assert.ok(six.some((text) => text.includes("fd01::1")));
  });
}

test("what manifests leave to a cluster is made up, and said", () => {
  const objects = [service("a", { type: "NodePort" }), service("b", { clusterIP: "10.96.1.1" }), deployment("a", 3)];
  const { services, slices, notes } = assumeCluster(objects, assuming);
  assert.deepEqual(
    services.map(({ spec }) => spec.clusterIP),
    ["10.96.1.2", "10.96.1.1"],
  );
  assert.equal(slices[0]?.endpoints.length, 3);
  assert.deepEqual(slices[0]?.ports, [{ name: "", protocol: "TCP", port: 8080 }]);
  assert.deepEqual(notes, [
    "Service default/a is given cluster IP 10.96.1.2 and node port 30000",
    "Deployment default/a is taken to have 3 ready pods",
  ]);
});

test("slices and Endpoints that are given are taken as they are", () => {
  const plain = service("plain", { selector: undefined, ports: [{ port: 80 }] });
  const endpoints = {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { name: "plain" },
    subsets: [{ addresses: [{ ip: "192.0.2.1" }, { ip: "x" }], ports: [{ port: 8080 }] }],
  } as unknown as KubeObject;
  const { slices, notes } = assumeCluster([plain, endpoints], assuming);
  assert.deepEqual(
    slices[0]?.endpoints.flatMap(({ addresses }) => addresses),
    ["192.0.2.1"],
  );
  assert.ok(notes.includes('Endpoints default/plain: "x" is no address'));
});

test("what stands on a node carries its counts and its objects; what nobody asked for is told", () => {
  const { rules } = rulesOf("iptables", [service("web"), deployment("web", 1)]);
  const own =
    rules.find(({ text }) => text.includes("-A KUBE-SERVICES -d "))?.text.replace("iptables -t nat ", "") ?? "";
  const saved = [
    "*nat",
    ":KUBE-SERVICES - [0:0]",
    `[12:720] ${own}`,
    "[3:180] -A KUBE-SERVICES -j RETURN",
    "[1:60] -A DOCKER -j RETURN",
    "COMMIT",
  ].join("\n");
  const live = annotateLive("iptables", { saved }, rules);
  assert.deepEqual(
    live.map(({ count, isUnknown, because }) => [count, isUnknown, because[0]?.name]),
    [
      ["12 packets, 720 bytes", false, "web"],
      ["3 packets, 180 bytes", true, undefined],
    ],
  );
  assert.deepEqual(annotateLive("nftables", {}, []), []);
  assert.deepEqual(annotateLive("ipvs", { saved }, []), []);
});

test("in nftables each endpoint carries the connections it has", () => {
  const { rules } = rulesOf("nftables", [service("web", { clusterIP: "10.96.0.9" }), deployment("web", 1)]);
  const table =
    "table ip kube-proxy {\n\tmap endpoints-lb-1 {\n\t\telements = { 10.96.0.9 . tcp . 80 . 0 : 10.244.0.1 . 8080 }\n\t}\n}\n";
  const flow = (port: number) =>
    `tcp 6 100 ESTABLISHED src=10.244.0.7 dst=10.96.0.9 sport=${port} dport=80 src=10.244.0.1 dst=10.244.0.7 sport=8080 dport=${port} [ASSURED] mark=0 use=1`;
  const other = flow(3).replace("dst=10.96.0.9", "dst=10.96.0.10");
  const [live] = annotateLive("nftables", { table, flows: [flow(1), flow(2), other].join("\n") }, rules);
  assert.deepEqual([live?.count, live?.isUnknown, live?.because[0]?.name], ["2 connections", false, "web"]);
});

test("what stands there of IPv6 is told by its own programs and addresses", () => {
  const ports = compileTable(
    [
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "six", namespace: "default" },
        spec: { clusterIP: "fd01::1", clusterIPs: ["fd01::1"], ipFamilies: ["IPv6"], ports: [{ port: 80 }] },
      },
    ],
    [],
    6,
  );
  const six = (mode: (typeof rulesModes)[number]) =>
    renderRulesOf(mode, ports, { name: "n", family: 6, addresses: [], podCidrs: [], serviceCidrs: [] }).rules;
  const table = `table ip6 kube-proxy {\n\tset cluster-ips {\n\t\telements = { fd01::1, fd01::2 }\n\t}\n}\n`;
  const elements = annotateLive("nftables", { table }, six("nftables"), 6);
  assert.deepEqual(
    elements.map(({ text, isUnknown }) => [text, isUnknown]),
    [
      ["add element ip6 kube-proxy cluster-ips { fd01::1 }", false],
      ["add element ip6 kube-proxy cluster-ips { fd01::2 }", true],
    ],
  );
  const jump = six("iptables").find(({ text }) => text.includes("-A PREROUTING"))?.text ?? "";
  const saved = `*nat\n:KUBE-SERVICES - [0:0]\n[1:60] ${jump.replace("ip6tables -t nat ", "")}\nCOMMIT`;
  const [rule] = annotateLive("iptables", { saved }, six("iptables"), 6);
  assert.deepEqual([rule?.text, rule?.count, rule?.isUnknown], [jump, "1 packets, 60 bytes", false]);
  const servers = "-A -t 10.96.0.1:80 -s rr\n-A -t [fd01::1]:80 -s rr\n";
  assert.deepEqual(
    annotateLive("ipvs", { servers }, six("ipvs"), 6).map(({ text, isUnknown }) => [text, isUnknown]),
    [["ipvsadm -A -t [fd01::1]:80 -s rr", false]],
  );
});

const folder = mkdtempSync(join(tmpdir(), "fairlead-rules-"));
after(() => rmSync(folder, { recursive: true }));

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const argv = [join(root, "bin/fairlead.ts"), "rules", "--data-dir", folder, ...args];
  const env = { PATH: process.env["PATH"] ?? "" };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, argv, { env }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

test("fairlead rules prints the rules of manifests, by mode, as text and as JSON", async () => {
  const text = await run(join(root, "examples/quickstart"));
  assert.equal(text.code, 0);
  for (const mode of rulesModes) assert.match(text.stdout, new RegExp(`^## ${mode} on node-1$`, "m"));
  assert.match(
    text.stdout,
    /goto lb-3 \} {2}# Service default\/hello spec\.ports\[0\], EndpointSlice default\/hello-1/,
  );
  assert.match(text.stderr, /^assumed: Service default\/hello is given cluster IP/m);
  const json = await run("--mode", "ipvs", "--json", join(root, "examples/quickstart"));
  const lines = json.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { mode: string; because: unknown[] });
  assert.deepEqual([...new Set(lines.map(({ mode }) => mode))], ["ipvs"]);
  assert.ok(lines.some(({ because }) => because.length > 0));
});

test("fairlead rules says what it cannot read, and where it looked for a cluster", async () => {
  writeFileSync(join(folder, "bad.yaml"), "apiVersion: v1\nkind: Service\nmetadata: [");
  const bad = await run(join(folder, "bad.yaml"));
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /bad\.yaml/);
  const none = await run();
  assert.equal(none.code, 1);
  assert.match(none.stdout + none.stderr, /no cluster is named/);
});
