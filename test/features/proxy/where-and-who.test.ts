import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "#base/log.ts";
import { settingsOf } from "#proxy/config/settings.ts";
import { nodeOfFamily } from "#proxy/families.ts";
import { applyFlowSettings, renderFlowSettings } from "#proxy/kernel-flows.ts";
import type { ProxyNode } from "#proxy/mode.ts";
import { renderLayout as renderChains } from "#proxy/modes/iptables/layout.ts";
import { renderEntry as renderIptables } from "#proxy/modes/iptables/render.ts";
import { renderRules } from "#proxy/modes/ipvs/layout.ts";
import { localAddresses } from "#proxy/modes/ipvs/node.ts";
import { renderLayout } from "#proxy/modes/nftables/layout.ts";
import { compileService } from "#routing/l4/compile.ts";
import { service, slice } from "./objects.ts";

const node: ProxyNode = { name: "n", addresses: ["172.30.0.11"], podCidrs: ["10.244.0.0/16"], serviceCidrs: [] };
const nft = (given: Partial<ProxyNode>) => renderLayout({ ...node, ...given }).join("\n");
const rules = (elements: readonly { set: string; key: string; value: string }[]) =>
  elements.map(({ set, key, value }) => `${set} ${key} ${value}`).join("\n");
const layouts = (given: Partial<ProxyNode>) => rules(renderChains({ ...node, ...given }));
const ofService = (given: Partial<ProxyNode>) => {
  const external = {
    type: "NodePort",
    externalTrafficPolicy: "Local",
    ports: [{ port: 80, nodePort: 30_080 }],
  } as const;
  const { ports } = compileService(service("web", { ...external, ports: [...external.ports] }), [
    slice("web", ["10.244.0.1"]),
  ]);
  return rules(ports.flatMap((entry) => renderIptables(entry, { ...node, ...given })));
};

test("node ports are served in ranges of the node's addresses, and in a family without one not at all", () => {
  const some = { nodePortRanges: ["172.30.0.0/24", "127.0.0.0/8"] };
  assert.match(nft(some), /ip daddr \{ 172\.30\.0\.0\/24, 127\.0\.0\.0\/8 \} fib daddr type local .* vmap @nodeports/);
  assert.match(layouts(some), /KUBE-SERVICES -d 172\.30\.0\.0\/24 .* -j KUBE-NODEPORTS/);
  assert.match(layouts(some), /KUBE-SERVICES -d 127\.0\.0\.0\/8 .* -j KUBE-NODEPORTS/);
  assert.match(nft({}), /dispatch fib daddr type local .* vmap @nodeports/);
  const six = nodeOfFamily({ ...node, ...some }, 6);
  assert.deepEqual(six.nodePortRanges, []);
  assert.doesNotMatch(renderLayout(six).join("\n"), /vmap @(?:no-endpoint-)?nodeports/);
  assert.doesNotMatch(rules(renderChains(six)), /dst-type LOCAL -j KUBE-NODEPORTS/);
});

test("of ipvs the node ports are those of the addresses in the ranges", async () => {
  const links = [{ ifname: "eth0", addr_info: [{ local: "192.168.1.2", scope: "global" }] }];
  const run = async () => ({ code: 0, stdout: JSON.stringify(links), stderr: "" });
  assert.deepEqual(await localAddresses({ ...node, run }), ["172.30.0.11", "192.168.1.2"]);
  assert.deepEqual(await localAddresses({ ...node, run, nodePortRanges: ["192.168.0.0/16"] }), ["192.168.1.2"]);
});

test("pods are known by the interface their traffic comes in by, or by how its name begins", () => {
  assert.match(nft({ podInterface: "cbr0" }), /@cluster-ips iifname != "cbr0" meta mark/);
  assert.match(nft({ podInterface: "veth+" }), /external-local iifname "veth\*" .* vmap @shortcuts/);
  assert.doesNotMatch(nft({ podInterface: "cbr0" }), /10\.244/);
  const own = ofService({ podInterface: "veth+" });
  assert.match(own, /-d 10\.96\.0\.10\/32 ! -i veth\+ -p tcp .* -j KUBE-MARK-MASQ/);
  assert.match(own, /-i veth\+ -m comment --comment "pod traffic for dev\/web external destinations" -j KUBE-SVC-/);
  assert.match(
    rules(renderRules({ ...node, podInterface: "cbr0" })),
    /! -i cbr0 .* KUBE-CLUSTER-IP dst,dst -j KUBE-MARK-MASQ/,
  );
  for (const bad of ['x" drop', "a b", "-i", "x;", "sixteen-letters-x"]) {
    assert.throws(() => nft({ podInterface: bad }), /not the name of an interface/);
    assert.throws(() => ofService({ podInterface: bad }), /not the name of an interface/);
  }
});

test("with masqueradeAll whoever sends to a cluster IP takes the node's address", () => {
  assert.match(nft({ masqueradeAll: true }), /dispatch ip daddr @cluster-ips meta mark set/);
  assert.match(
    ofService({ masqueradeAll: true }),
    /^nat KUBE-SVC-\S+ -d 10\.96\.0\.10\/32 -p tcp .* -j KUBE-MARK-MASQ$/m,
  );
  assert.match(
    rules(renderRules({ ...node, masqueradeAll: true, podCidrs: [] })),
    /KUBE-CLUSTER-IP dst,dst -j KUBE-MARK-MASQ/,
  );
});

test("a configuration says all of it, for the mode that is chosen", () => {
  const settings = settingsOf(
    {
      mode: "ipvs",
      iptables: { masqueradeAll: true },
      nodePortAddresses: ["primary"],
      detectLocalMode: "InterfaceNamePrefix",
      detectLocal: { interfaceNamePrefix: "veth" },
      conntrack: { min: 1 },
    },
    "auto",
  );
  const { masqueradeAll, nodePortAddresses, podInterface, conntrack } = settings;
  assert.deepEqual([masqueradeAll, nodePortAddresses, podInterface, conntrack], [true, "primary", "veth+", { min: 1 }]);
  assert.equal(settingsOf({ mode: "nftables", iptables: { masqueradeAll: true } }, "auto").masqueradeAll, undefined);
});

test("the kernel's memory of flows is set as asked for, its size never smaller than it is", async () => {
  assert.deepEqual(renderFlowSettings({ tcpBeLiberal: false, udpTimeout: 0 }, 4), []);
  const sized = (fields: object, cores: number) =>
    renderFlowSettings(fields, cores).map(({ name, value }) => `${name} ${value}`);
  assert.deepEqual(sized({ maxPerCore: 32_768 }, 2), ["nf_conntrack_max 131072"]);
  assert.deepEqual(sized({ min: 1000 }, 8), ["nf_conntrack_max 262144"]);
  assert.deepEqual(sized({ maxPerCore: 0, min: 1000 }, 8), []);
  assert.deepEqual(sized({ maxPerCore: 100_000, min: 0 }, 64), ["nf_conntrack_max 1048576"]);
  assert.deepEqual(sized({ tcpEstablishedTimeout: 86_400_000, udpStreamTimeout: 500, tcpBeLiberal: true }, 1), [
    "nf_conntrack_tcp_timeout_established 86400",
    "nf_conntrack_udp_timeout_stream 1",
    "nf_conntrack_tcp_be_liberal 1",
  ]);
  const asked: string[] = [];
  const run = async (argv: readonly string[]) => {
    asked.push(argv.join(" "));
    return { code: 0, stdout: "262144\n", stderr: "" };
  };
  await applyFlowSettings({ name: "n", run }, { min: 200_000, maxPerCore: 1, udpTimeout: 30_000 }, silentLog, 2);
  assert.deepEqual(asked, [
    "sysctl -n net.netfilter.nf_conntrack_max",
    "sysctl -q -w net.netfilter.nf_conntrack_udp_timeout=30",
  ]);
});
