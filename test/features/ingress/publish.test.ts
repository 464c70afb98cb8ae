import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "#api/core/node/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import { addressesOfNode, addressesOfService } from "#ingress/publish.ts";

const balancer = { loadBalancer: { ingress: [{ ip: "192.0.2.1" }, { hostname: "lb.example" }] } };

for (const [what, spec, status, expected] of [
  [
    "a load balancer's addresses, and others from outside",
    { type: "LoadBalancer", externalIPs: ["192.0.2.7"] },
    balancer,
    ["192.0.2.1", "lb.example", "192.0.2.7"],
  ],
  ["none while a load balancer has none", { type: "LoadBalancer", clusterIP: "10.96.0.9" }, {}, []],
  [
    "addresses from outside before the cluster's",
    { type: "NodePort", clusterIP: "10.96.0.9", externalIPs: ["192.0.2.7"] },
    {},
    ["192.0.2.7"],
  ],
  ["the cluster's address", { type: "ClusterIP", clusterIP: "10.96.0.9" }, {}, ["10.96.0.9"]],
  ["nothing of a Service without an address", { type: "ClusterIP", clusterIP: "None" }, {}, []],
  ["an external name", { type: "ExternalName", externalName: "in.example" }, {}, ["in.example"]],
] as const) {
  test(`--publish-service shows ${what}`, () => {
    assert.deepEqual(addressesOfService({ spec, status } as unknown as Service), expected);
  });
}

test("of a node its addresses outside are shown, those inside where there are none or they are asked for", () => {
  const inside = { type: "InternalIP", address: "10.0.0.4" };
  const both = { status: { addresses: [inside, { type: "ExternalIP", address: "192.0.2.4" }] } } as unknown as Node;
  assert.deepEqual(addressesOfNode(both, false), ["192.0.2.4"]);
  assert.deepEqual(addressesOfNode(both, true), ["10.0.0.4"]);
  assert.deepEqual(addressesOfNode({ status: { addresses: [inside] } } as unknown as Node, false), ["10.0.0.4"]);
});
