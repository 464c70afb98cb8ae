import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoints } from "#api/core/endpoints/kind.ts";
import { compileSubsets, truncateSubsets } from "#controllers/endpoints/compile.ts";
import { parsePodLine } from "../../cases/controllers/pod-line.ts";
import { node, pod, service, startCluster } from "./cluster.ts";

const web = { namespace: "dev", name: "web" };
const text = ({ subsets = [] }: Pick<Endpoints, "subsets">) =>
  subsets.map(({ addresses = [], notReadyAddresses = [], ports = [] }) =>
    [
      addresses.map(({ ip }) => ip).join(),
      notReadyAddresses.map(({ ip }) => ip).join(),
      ports.map(({ name = "", port, protocol }) => `${name}:${port}/${protocol}`).join(),
    ].join(" | "),
  );

test("addresses are grouped by resolved ports and sorted, unready ones apart", () => {
  const named = service("web", { ports: [{ name: "web", port: 80, targetPort: "http" }] });
  const pods = [
    "c ip=10.0.0.3 ready http=80",
    "b ip=10.0.0.2 ready http=80",
    "a ip=10.0.0.9 http=80",
    "d ip=10.0.0.4 ready http=81",
  ];
  const subsets = compileSubsets(named, pods.map(parsePodLine));
  assert.deepEqual(text({ subsets }), ["10.0.0.2,10.0.0.3 | 10.0.0.9 | web:80/TCP", "10.0.0.4 |  | web:81/TCP"]);
});

test("terminating pods are listed only when unready addresses are published", () => {
  const pods = ["a ip=10.0.0.1 ready terminating", "b ip=10.0.0.2"].map(parsePodLine);
  assert.deepEqual(text({ subsets: compileSubsets(service("web"), pods) }), [" | 10.0.0.2 | :8080/TCP"]);
  const published = compileSubsets(service("web", { publishNotReadyAddresses: true }), pods);
  assert.deepEqual(text({ subsets: published }), ["10.0.0.1,10.0.0.2 |  | :8080/TCP"]);
});

test("more addresses than fit are cut, ready ones first and in proportion", () => {
  const addresses = (count: number) => Array.from({ length: count }, (_, index) => ({ ip: `10.0.0.${index}` }));
  const subsets = [
    { addresses: addresses(6), notReadyAddresses: addresses(4), ports: [{ port: 1 }] },
    { addresses: addresses(3), ports: [{ port: 2 }] },
  ];
  const sizes = (limit: number) =>
    truncateSubsets(subsets, limit).map((kept) => [kept.addresses?.length ?? 0, kept.notReadyAddresses?.length ?? 0]);
  assert.deepEqual(sizes(13), [
    [6, 4],
    [3, 0],
  ]);
  assert.deepEqual(sizes(11), [
    [6, 2],
    [3, 0],
  ]);
  assert.deepEqual(sizes(6), [
    [4, 0],
    [2, 0],
  ]);
});

test("Endpoints follow their Service and its pods, and go with the Service", async () => {
  await using cluster = await startCluster([node("node-1"), service("web"), pod("a"), pod("other", { app: "x" })]);
  const read = () => cluster.client.get("Endpoints", web);
  assert.deepEqual((await read())?.subsets, []);
  const [a] = await cluster.pods("app=web");
  assert.ok(a);
  await cluster.setReady(a, true);
  await cluster.settle();
  const filled = await read();
  assert.ok(filled);
  assert.equal(filled.metadata.labels?.["endpoints.kubernetes.io/managed-by"], "endpoint-controller");
  assert.match(filled.metadata.annotations?.["endpoints.kubernetes.io/last-change-trigger-time"] ?? "", /Z$/);
  assert.equal(text(filled).length, 1);
  await cluster.client.delete("Service", web);
  await cluster.settle();
  assert.equal(await read(), undefined);
});

test("Endpoints that others keep are left alone when no Service has their name", async () => {
  const mine: Endpoints = { apiVersion: "v1", kind: "Endpoints", metadata: { name: "lock", namespace: "dev" } };
  await using cluster = await startCluster([mine]);
  assert.ok(await cluster.client.get("Endpoints", mine.metadata));
});
