import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { silentLog } from "#base/log.ts";
import type { ModeDefinition } from "#proxy/definition.ts";
import type { ProxyMode, ProxyNode } from "#proxy/mode.ts";
import { modes } from "#proxy/modes/index.ts";
import { compileTable } from "#routing/l4/compile.ts";
import { diffServices } from "#routing/l4/diff.ts";
import { serviceOf, sliceOf, type Wanted } from "./objects.ts";

const isReady = process.getuid?.() === 0 && spawnSync("nft", ["--version"]).status === 0;
const node: ProxyNode = {
  name: "node-1",
  addresses: ["172.30.0.11"],
  podCidrs: ["10.244.0.0/16"],
  serviceCidrs: ["10.96.0.0/12"],
};

/** Every kind of element and rule that the modes have. */
const everything: readonly Wanted[] = [
  { name: "plain", clusterIP: "10.96.0.20", pods: ["pod-a", "pod-b", "pod-c"] },
  { name: "empty", clusterIP: "10.96.0.21", pods: [] },
  {
    name: "sticky",
    clusterIP: "10.96.0.22",
    pods: ["pod-a", "pod-b"],
    ports: [
      { name: "t", port: 80, nodePort: 30_080 },
      { name: "u", port: 53, nodePort: 30_053, protocol: "UDP" },
    ],
    spec: { type: "NodePort", sessionAffinity: "ClientIP" },
  },
  {
    name: "local",
    clusterIP: "10.96.0.23",
    pods: ["pod-a", "pod-c"],
    ports: [{ port: 80, nodePort: 30_081 }],
    spec: {
      type: "LoadBalancer",
      externalTrafficPolicy: "Local",
      internalTrafficPolicy: "Local",
      externalIPs: ["192.0.2.1"],
      loadBalancerSourceRanges: ["172.30.0.254/32", "172.30.0.128/25"],
      healthCheckNodePort: 30_082,
    },
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.2", ipMode: "VIP" }] } },
  },
];

interface Harm {
  readonly what: string;
  readonly argv: readonly string[];
  /** What the damage is called. */
  readonly named: RegExp;
}

const nft = (what: string, command: string, named: RegExp): Harm => ({ what, argv: ["nft", command], named });
const argvOf = (what: string, line: string, named: RegExp): Harm => ({ what, argv: line.split(" "), named });

const harms: Readonly<Record<string, readonly Harm[]>> = {
  nftables: [
    nft(
      "an element removed",
      "delete element ip kube-proxy services { 10.96.0.20 . tcp . 80 }",
      /10\.96\.0\.20 \. tcp \. 80 is gone from services \(Service default\/plain\)/,
    ),
    nft(
      "an element changed",
      "delete element ip kube-proxy services { 10.96.0.20 . tcp . 80 }; add element ip kube-proxy services { 10.96.0.20 . tcp . 80 : drop }",
      /services is drop and not goto lb-3 \(Service default\/plain\)/,
    ),
    nft(
      "an element added",
      "add element ip kube-proxy cluster-ips { 10.96.9.9 }",
      /10\.96\.9\.9 was added to cluster-ips/,
    ),
    nft(
      "a map emptied",
      "flush map ip kube-proxy endpoints-lb-3",
      /is gone from endpoints-lb-3 \(Service default\/plain\)/,
    ),
    nft("a chain emptied", "flush chain ip kube-proxy dispatch", /chain dispatch has 0 rules and not 3/),
    nft("a balancer emptied", "flush chain ip kube-proxy lb-3", /chain lb-3 has 0 rules and not 1/),
    nft(
      "a rule added",
      "insert rule ip kube-proxy nat-prerouting return",
      /chain nat-prerouting has 2 rules and not 1/,
    ),
    nft("a chain added", "add chain ip kube-proxy foreign", /chain foreign is not of the service proxy/),
    nft("the table removed", "delete table ip kube-proxy", /table ip kube-proxy is gone/),
  ],
  iptables: [
    argvOf("a chain emptied", "iptables -t nat -F KUBE-POSTROUTING", /KUBE-POSTROUTING/),
    argvOf(
      "a Service's chain emptied",
      "iptables -t nat -F KUBE-SVC-",
      /chain KUBE-SVC-\S+ in table nat was changed \(Service default\/plain\)/,
    ),
    argvOf(
      "a rule added",
      "iptables -t nat -I KUBE-SERVICES -d 10.96.0.20 -j RETURN",
      /KUBE-SERVICES.* is not of the service proxy/,
    ),
    argvOf("a jump removed", "iptables -t nat -D OUTPUT 1", /OUTPUT/),
    argvOf("a table emptied", "iptables -t filter -F", /KUBE-/),
  ],
  ipvs: [
    argvOf("a virtual server removed", "ipvsadm -D -t 10.96.0.20:80", /-t 10\.96\.0\.20:80 is gone.*default\/plain/),
    argvOf("a real server added", "ipvsadm -a -t 10.96.0.20:80 -r 192.0.2.99:1 -m", /192\.0\.2\.99:1/),
    argvOf(
      "an entry of a set removed",
      "ipset del KUBE-CLUSTER-IP 10.96.0.20,tcp:80",
      /KUBE-CLUSTER-IP.*default\/plain/,
    ),
    argvOf("an address removed", "ip addr del 10.96.0.20/32 dev kube-ipvs0", /10\.96\.0\.20/),
    argvOf("a rule removed", "iptables -t nat -F KUBE-POSTROUTING", /KUBE-POSTROUTING/),
  ],
};

for (const definition of modes.filter(({ name }) => name in harms)) {
  describe(
    `what others do to the rules of ${definition.name}`,
    { skip: isReady ? false : "needs root and nft" },
    () => {
      let mode: ProxyMode;
      let skip: string | undefined;
      const table = compileTable(
        everything.map((one) => serviceOf(one)),
        everything.map((one) => sliceOf(one)),
      );
      const all = diffServices(undefined, table);
      before(async () => {
        spawnSync("ip", ["link", "set", "lo", "up"]);
        const probed = await definition.probe(node);
        if (!probed.works) skip = probed.reason;
        else await (mode = start(definition)).apply(all);
      });
      after(async () => {
        if (skip !== undefined) return;
        await mode.stop();
        await mode.cleanup();
      });

      test("nobody's doing is no damage, also after changes of our own and over again", async (t) => {
        if (skip !== undefined) return t.skip(skip);
        await hasNoDamage(mode);
        const [, ...rest] = everything;
        const without = compileTable(
          rest.map((one) => serviceOf(one)),
          rest.map((one) => sliceOf(one)),
        );
        await mode.apply(diffServices(table, without));
        await hasNoDamage(mode);
        await mode.apply(diffServices(without, table));
        await hasNoDamage(mode);
      });

      test("nor is it where node ports are served at some addresses, and pods known otherwise", async (t) => {
        if (skip !== undefined) return t.skip(skip);
        await mode.stop();
        for (const told of [
          { podInterface: "cbr0", nodePortRanges: ["172.30.0.0/24", "10.0.0.0/8"] },
          { podInterface: "veth+", masqueradeAll: true, nodePortRanges: [] },
          { podCidrs: ["10.244.1.0/24", "10.244.2.0/24"], nodePortRanges: ["0.0.0.0/0"] },
        ]) {
          const other = definition.start({ ...node, ...told }, { log: silentLog });
          await other.apply(all);
          await hasNoDamage(other);
          await other.stop();
        }
        await (mode = start(definition)).apply(all);
        await hasNoDamage(mode);
      });

      for (const { what, argv, named } of harms[definition.name] ?? []) {
        test(`${what}: noticed, named and mended`, async (t) => {
          if (skip !== undefined) return t.skip(skip);
          const [program = "", ...args] = argv.map((word) => (word === "KUBE-SVC-" ? chainOfPlain() : word));
          const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
          assert.equal(status, 0, stderr);
          assert.equal(await mode.isIntact?.(), false);
          assert.match(mode.damage?.() ?? "", named);
          await mode.apply(all);
          await hasNoDamage(mode);
        });
      }
    },
  );
}

async function hasNoDamage(mode: ProxyMode): Promise<void> {
  const isIntact = await mode.isIntact?.();
  assert.ok(isIntact, mode.damage?.() ?? "");
}

/** Time stands still for it, so that it may look as often as it is asked. */
function start(definition: ModeDefinition): ProxyMode {
  const clock = { now: () => Date.now(), monotonic: () => 0, after: () => () => {} };
  return definition.start(node, { log: silentLog, clock });
}

function chainOfPlain(): string {
  const { stdout } = spawnSync("iptables-save", ["-t", "nat"], { encoding: "utf8" });
  return /-d 10\.96\.0\.20\/32 .*-j (KUBE-SVC-\S+)/.exec(stdout)?.[1] ?? "";
}
