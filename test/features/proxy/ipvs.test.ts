import assert from "node:assert/strict";
import { test } from "node:test";
import { settingsOf } from "#proxy/config/settings.ts";
import { parseSaved, withoutChainsOf } from "#proxy/modes/iptables/kernel.ts";
import { chainNames as iptablesChains } from "#proxy/modes/iptables/layout.ts";
import { parseAddresses, parseConnections, parseServers, parseSets } from "#proxy/modes/ipvs/kernel.ts";
import { chainNames, renderRules } from "#proxy/modes/ipvs/layout.ts";
import type { Element, Place } from "#proxy/modes/ipvs/element.ts";
import { renderEntry } from "#proxy/modes/ipvs/render.ts";
import { schedulerOf } from "#proxy/modes/ipvs/settings.ts";
import { sets } from "#proxy/modes/ipvs/sets.ts";
import { renderChange } from "#proxy/modes/ipvs/transaction.ts";
import { createElementLedger } from "#proxy/modes/ledger.ts";
import { compileService } from "#routing/l4/compile.ts";
import { service, slice } from "./objects.ts";

const node = { name: "node-1", addresses: ["172.30.0.11"], podCidrs: ["10.244.0.0/16"], serviceCidrs: [] };
const none: ReadonlySet<string> = new Set();
const rendered = (endpoints: readonly string[], spec = {}, protocol: "TCP" | "UDP" = "TCP"): Element[] => {
  const ports = [{ port: 80, protocol }];
  const slices = [slice("web", endpoints, { ports: [{ name: "", port: 8080, protocol }] })];
  return compileService(service("web", { ports, ...spec }), slices).ports.flatMap((entry) => renderEntry(entry, node));
};
const change = (before: readonly Element[], after: readonly Element[], draining = none) => {
  const ledger = createElementLedger<Place>();
  ledger.claim("a", before);
  ledger.take();
  ledger.claim("a", after);
  const { commands, draining: waiting } = renderChange(ledger.take(), draining);
  return {
    lines: commands.flatMap(([program, input]) =>
      input
        .trim()
        .split("\n")
        .map((line) => `${program}: ${line}`),
    ),
    waiting,
  };
};
const real = "-t 10.96.0.10:80 -r 10.244.0.1:8080";

test("a Service is served before packets come to its address, and after they no longer do", () => {
  const some = rendered(["10.244.0.1"]);
  assert.deepEqual(change([], some).lines, [
    "ipset: add KUBE-IPVS-IPS 10.96.0.10",
    "ipset: add KUBE-CLUSTER-IP 10.96.0.10,tcp:80",
    "ipvsadm: -A -t 10.96.0.10:80 -s rr",
    `ipvsadm: -a ${real} -m -w 1`,
    "ip: addr add 10.96.0.10/32 dev kube-ipvs0",
  ]);
  assert.deepEqual(change(some, []).lines, [
    "ip: addr del 10.96.0.10/32 dev kube-ipvs0",
    "ipvsadm: -D -t 10.96.0.10:80",
    "ipset: del KUBE-IPVS-IPS 10.96.0.10",
    "ipset: del KUBE-CLUSTER-IP 10.96.0.10,tcp:80",
  ]);
});

test("an endpoint of TCP that goes takes no new connections and keeps its old; one that comes back is used again", () => {
  const before = rendered(["10.244.0.1", "10.244.0.2"]);
  const after = rendered(["10.244.0.2"]);
  const gone = change(before, after);
  assert.deepEqual(gone.lines, [`ipvsadm: -e ${real} -m -w 0`]);
  assert.deepEqual([...gone.waiting], [real]);
  const back = change(after, before, gone.waiting);
  assert.deepEqual(back.lines, [`ipvsadm: -e ${real} -m -w 1`]);
  assert.deepEqual([...back.waiting], []);
  const removed = change(after, [], gone.waiting);
  assert.ok(removed.lines.includes("ipvsadm: -D -t 10.96.0.10:80"));
  assert.deepEqual([...removed.waiting], []);
});

test("an endpoint of UDP that goes is removed at once", () => {
  const { lines, waiting } = change(
    rendered(["10.244.0.1", "10.244.0.2"], {}, "UDP"),
    rendered(["10.244.0.2"], {}, "UDP"),
  );
  assert.deepEqual(lines, ["ipvsadm: -d -u 10.96.0.10:80 -r 10.244.0.1:8080"]);
  assert.deepEqual([...waiting], []);
});

test("session affinity is a persistent virtual server, and changes without its endpoints being touched", () => {
  const { lines } = change(rendered(["10.244.0.1"]), rendered(["10.244.0.1"], { sessionAffinity: "ClientIP" }));
  assert.deepEqual(lines, ["ipvsadm: -E -t 10.96.0.10:80 -s rr -p 10800"]);
});

test("what the programs print is read as what was given to them", () => {
  const servers = [
    "-A -t 10.96.0.10:80 -s rr -p 10800",
    "-a -t 10.96.0.10:80 -r 10.244.0.1:8080 -m -w 1",
    "-a -t 10.96.0.10:80 -r 10.244.0.2:8080 -m -w 0",
    "-A -u 10.96.0.10:53 -s mh -b mh-port",
    "-A -f 7 -s rr",
    "",
  ];
  assert.deepEqual(parseServers(servers.join("\n")), [
    { set: "server", key: "-t 10.96.0.10:80", value: "-s rr -p 10800" },
    { set: "real", key: real, value: "1" },
    { set: "real", key: "-t 10.96.0.10:80 -r 10.244.0.2:8080", value: "0" },
    { set: "server", key: "-u 10.96.0.10:53", value: "-s mh -b mh-port" },
  ]);
  const saved = parseSets(
    "create KUBE-CLUSTER-IP hash:ip,port family inet\nadd KUBE-CLUSTER-IP 10.96.0.10,tcp:80\nadd OTHER 1\n",
  );
  assert.deepEqual([...saved.made], ["KUBE-CLUSTER-IP"]);
  assert.deepEqual(saved.elements, [{ set: "KUBE-CLUSTER-IP", key: "10.96.0.10,tcp:80", value: "" }]);
  const links = [
    { ifname: "lo", addr_info: [{ local: "127.0.0.1", scope: "host" }] },
    { ifname: "eth0", addr_info: [{ local: "172.30.0.11", scope: "global" }] },
    { ifname: "kube-ipvs0", addr_info: [{ local: "10.96.0.10", scope: "global" }] },
  ];
  const { services, others } = parseAddresses(JSON.stringify(links));
  assert.deepEqual(services, [{ set: "address", key: "10.96.0.10", value: "" }]);
  assert.deepEqual(others, ["172.30.0.11"]);
});

test("connections are counted for each real server", () => {
  const listing = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  10.96.0.10:80 rr persistent 10800
  -> 10.244.0.1:8080              Masq    0      1          2
  -> 10.244.0.2:8080              Masq    1      0          0
UDP  10.96.0.10:53 rr
  -> 10.244.0.2:53                Masq    1      0          4
`;
  assert.deepEqual(parseConnections(listing), [
    { key: real, weight: 0, connections: 3 },
    { key: "-t 10.96.0.10:80 -r 10.244.0.2:8080", weight: 1, connections: 0 },
    { key: "-u 10.96.0.10:53 -r 10.244.0.2:53", weight: 1, connections: 4 },
  ]);
});

test("a scheduler that is no name is refused, and never part of a command", () => {
  assert.equal(schedulerOf({}), "rr");
  assert.equal(schedulerOf({ scheduler: "" }), "rr");
  assert.equal(schedulerOf({ scheduler: "wlc" }), "wlc");
  for (const scheduler of ["rr -p 1", "RR\n-C", "$(id)"])
    assert.throws(() => schedulerOf({ scheduler }), /no scheduler/);
});

test("the rules name only sets there are, and mark outsiders as the pod ranges say", () => {
  const textOf = (podCidrs: readonly string[]) =>
    renderRules({ podCidrs })
      .map(({ key, value }) => `${key} ${value}`)
      .join("\n");
  for (const [, name = ""] of textOf([]).matchAll(/--match-set (\S+)/g)) assert.ok(Object.hasOwn(sets, name), name);
  const masquerade = (podCidrs: readonly string[]) =>
    /^.*KUBE-CLUSTER-IP (?:dst|src),dst -j KUBE-MARK.*$/m.exec(textOf(podCidrs))?.[0];
  assert.match(masquerade([]) ?? "", /KUBE-CLUSTER-IP src,dst -j KUBE-MARK-MASQ$/);
  assert.match(masquerade(["10.244.0.0/16"]) ?? "", /^! -s 10\.244\.0\.0\/16 .*dst,dst -j KUBE-MARK-MASQ$/);
  assert.match(masquerade(["10.1.0.0/24", "10.2.0.0/24"]) ?? "", /^-m comment .*dst,dst -j KUBE-MARK-MASQ-OUTSIDE$/);
});

test("what another mode has taken over under the same names is left to it", () => {
  const saved = [
    "*filter",
    ":KUBE-IPVS-FILTER - [0:0]",
    ":KUBE-EXTERNAL-SERVICES - [0:0]",
    "-A INPUT -j KUBE-EXTERNAL-SERVICES",
    "*nat",
    ":KUBE-SERVICES - [0:0]",
    ":KUBE-MARK-MASQ - [0:0]",
    ":KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]",
    "-A PREROUTING -j KUBE-SERVICES",
    "-A KUBE-SERVICES -j KUBE-MARK-MASQ",
    "-A KUBE-SVC-AAAAAAAAAAAAAAAA -j KUBE-MARK-MASQ",
  ].join("\n");
  const ofIptables = withoutChainsOf(chainNames, parseSaved(saved, iptablesChains));
  assert.deepEqual(
    ofIptables.map(({ set, key }) => `${set}: ${key}`),
    [
      "filter shared: KUBE-EXTERNAL-SERVICES",
      "filter INPUT: -j KUBE-EXTERNAL-SERVICES",
      "nat: KUBE-SVC-AAAAAAAAAAAAAAAA",
    ],
  );
  const ofIpvs = withoutChainsOf(iptablesChains, parseSaved(saved, chainNames));
  assert.deepEqual(
    ofIpvs.map(({ set, key }) => `${set}: ${key}`),
    ["filter: KUBE-IPVS-FILTER"],
  );
});

test("the configuration reaches the mode, in whole seconds", () => {
  const asked = {
    scheduler: "wlc",
    excludeCIDRs: ["192.0.2.0/24"],
    strictARP: true,
    udpTimeout: 500,
    tcpTimeout: 90_000,
  };
  assert.deepEqual(settingsOf({ ipvs: asked }, "ipvs").ipvs, {
    scheduler: "wlc",
    excludeCidrs: ["192.0.2.0/24"],
    strictArp: true,
    tcpTimeoutSeconds: 90,
    tcpFinTimeoutSeconds: 0,
    udpTimeoutSeconds: 1,
  });
  assert.equal(settingsOf({}, "ipvs").ipvs, undefined);
});
