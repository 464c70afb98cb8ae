import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFlows, staleFlows } from "#proxy/modes/conntrack.ts";
import { compileService } from "#routing/l4/compile.ts";
import { service, slice } from "./objects.ts";

const listing = `udp      17 29 src=10.244.1.10 dst=10.96.0.10 sport=40053 dport=53 [UNREPLIED] src=10.244.1.5 dst=10.244.1.10 sport=5353 dport=40053 mark=0 use=1
udp      17 119 src=10.244.1.11 dst=10.96.0.10 sport=40054 dport=53 src=10.244.2.5 dst=10.244.1.11 sport=5353 dport=40054 [ASSURED] mark=0 use=1
udp      17 29 src=172.30.0.254 dst=172.30.0.11 sport=999 dport=30053 src=10.244.1.5 dst=172.30.0.11 sport=5353 dport=999 mark=0 use=1
udp      17 29 src=10.244.1.10 dst=8.8.8.8 sport=998 dport=30053 src=8.8.8.8 dst=172.30.0.11 sport=30053 dport=998 mark=0 use=1
udp      17 29 src=10.244.1.10 dst=8.8.8.8 sport=997 dport=53 src=8.8.8.8 dst=172.30.0.11 sport=53 dport=997 mark=0 use=1
`;
const node = { name: "node-1", addresses: ["172.30.0.11"], podCidrs: [], serviceCidrs: [] };
const dns = service("dns", { type: "NodePort", ports: [{ port: 53, protocol: "UDP", nodePort: 30_053 }] });
const ports = [{ name: "", port: 5353, protocol: "UDP" as const }];

test("a flow to an endpoint the service no longer has is stale, and no other flow is", () => {
  const { ports: entries } = compileService(dns, [slice("dns", ["10.244.2.5"], { ports })]);
  assert.deepEqual(staleFlows(parseFlows(listing), entries, node), [
    { to: "10.96.0.10", toPort: 53, answers: "10.244.1.5", answersPort: 5353 },
    { to: "172.30.0.11", toPort: 30_053, answers: "10.244.1.5", answersPort: 5353 },
  ]);
});

test("a service without endpoints keeps its flows", () => {
  const { ports: entries } = compileService(dns, [slice("dns", [], { ports })]);
  assert.deepEqual(staleFlows(parseFlows(listing), entries, node), []);
});

test("a flow of IPv6 is stale by the same rules", () => {
  const dns6 = service("dns", { clusterIP: "fd00:10:96::A", ports: [{ port: 53, protocol: "UDP" }] });
  const slices = [slice("dns", ["fd00:10:244::5"], { ports, addressType: "IPv6" })];
  const { ports: entries } = compileService(dns6, slices, 6);
  const line = (answers: string) =>
    `udp 17 118 src=fd00::1 dst=fd00:10:96::a sport=4 dport=53 src=${answers} dst=fd00::1 sport=5353 dport=4 mark=0 use=1`;
  const flows = parseFlows([line("fd00:10:244::5"), line("fd00:10:244::6")].join("\n"));
  const stale = staleFlows(flows, entries, { ...node, family: 6 });
  assert.deepEqual(
    stale.map(({ answers }) => answers),
    ["fd00:10:244::6"],
  );
});
