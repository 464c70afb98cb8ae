import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import type { Family } from "#base/cidr.ts";
import { silentLog } from "#base/log.ts";
import type { ProxyNode } from "#proxy/mode.ts";
import { restore, save } from "#proxy/modes/iptables/command.ts";
import { parseSaved } from "#proxy/modes/iptables/kernel.ts";
import { renderChange } from "#proxy/modes/iptables/transaction.ts";
import { give } from "#proxy/modes/ipvs/command.ts";
import { parseSets } from "#proxy/modes/ipvs/kernel.ts";
import { chainNames, renderRules } from "#proxy/modes/ipvs/layout.ts";
import { ipvs } from "#proxy/modes/ipvs/mode.ts";
import { renderEntry } from "#proxy/modes/ipvs/render.ts";
import { renderSets, sets } from "#proxy/modes/ipvs/sets.ts";
import { renderChange as renderServers } from "#proxy/modes/ipvs/transaction.ts";
import { diffElements } from "#proxy/modes/ledger.ts";
import { compileTable } from "#routing/l4/compile.ts";
import { diffServices } from "#routing/l4/diff.ts";
import { manualClock } from "../../fakes/clock.ts";
import { hasIPv6, plans, podIP } from "./ground.ts";
import { serviceOf, sliceOf, type Wanted } from "./objects.ts";

const programs = ["ipset", "iptables"].every((name) => spawnSync(name, ["--version"]).status === 0);
const isReady = process.getuid?.() === 0 && programs;
const hasIpvs = isReady && spawnSync("ipvsadm", ["-L", "-n"]).status === 0;
const node: ProxyNode = {
  name: "node-1",
  addresses: ["172.30.0.11"],
  podCidrs: ["10.244.0.0/16"],
  serviceCidrs: ["10.96.0.0/12"],
};
const node6: ProxyNode = {
  name: "node-1",
  family: 6,
  addresses: [plans[6].nodes["node-1"]],
  podCidrs: [plans[6].podCidr],
  serviceCidrs: [plans[6].serviceCidr],
};
const wantedIn = (family: Family): Wanted => ({
  name: "all",
  clusterIP: plans[family].clusterIP(20),
  pods: ["pod-a", "pod-c"],
  ports: [{ port: 80, nodePort: 30_080 }],
  spec: {
    type: "LoadBalancer",
    externalIPs: [plans[family].external(1)],
    externalTrafficPolicy: "Local",
    healthCheckNodePort: 30_081,
    loadBalancerSourceRanges: family === 6 ? ["fd00:172:30::/64"] : ["172.30.0.0/24"],
  },
  status: { loadBalancer: { ingress: [{ ip: plans[family].external(2), ipMode: "VIP" }] } },
});
const everyKind = (family: Family) => [serviceOf(wantedIn(family))];
const run = (...argv: string[]) => execFileSync(argv[0] ?? "", argv.slice(1), { encoding: "utf8" });
const tableOf = (wanted: readonly Wanted[]) =>
  compileTable(
    wanted.map((one) => serviceOf(one)),
    wanted.map((one) => sliceOf(one)),
  );
const between = (before: readonly Wanted[], after: readonly Wanted[]) => diffServices(tableOf(before), tableOf(after));

describe("the mode ipvs and the kernel", { skip: isReady ? false : "needs root, ipset and iptables" }, () => {
  before(() => void run("ip", "link", "set", "lo", "up"));

  for (const served of hasIPv6 ? [node, node6] : [node]) {
    const { family = 4 } = served;
    test(`IPv${family}: sets and rules are loaded, and printed back as they were written`, async () => {
      await give(served, ["ipset", `${renderSets(family).join("\n")}\n`]);
      assert.deepEqual([...parseSets(run("ipset", "save"), family).made].sort(), Object.keys(sets).sort());
      const entries = compileTable(everyKind(family), [sliceOf(wantedIn(family))], family).ports.values();
      const elements = [...entries].flatMap((entry) => renderEntry(entry, served));
      const inSets = elements.filter(({ set }) => set.startsWith("KUBE-"));
      const { commands } = renderServers({ deletes: [], adds: inSets }, new Set(), family);
      for (const command of commands) await give(served, command);
      const found = parseSets(run("ipset", "save"), family).elements;
      assert.deepEqual(diffElements(found, inSets), { deletes: [], adds: [] });
      const rules = renderRules(served);
      const read = async () => parseSaved(await save(served), chainNames);
      for (const text of renderChange({ deletes: [], adds: rules })) await restore(served, text);
      assert.deepEqual(diffElements(await read(), rules), { deletes: [], adds: [] });
      for (const text of renderChange(diffElements(await read(), []))) await restore(served, text);
      assert.doesNotMatch(await save(served), /KUBE-/);
      run("ipset", "destroy");
    });
  }

  describe("with ip_vs", { skip: hasIpvs ? false : "this kernel has no ip_vs" }, () => {
    const wanted: Wanted = { name: "plain", clusterIP: "10.96.0.20", pods: ["pod-a"] };
    const server = createServer((socket) => socket.on("error", () => {}).pipe(socket));
    const reals = () => run("ipvsadm", "-S", "-n").match(/(?<=-r )\S+ -m -w \d/g) ?? [];
    before(async () => {
      for (const address of Object.values(podIP)) run("ip", "addr", "add", `${address}/32`, "dev", "lo");
      server.listen(8080, "0.0.0.0");
      await once(server, "listening");
    });
    after(async () => {
      server.close();
      await ipvs.cleanup(node);
    });

    test("a new start finds everything again and changes nothing; what is not wanted any more goes", async () => {
      const sticky: Wanted = { ...wanted, name: "s", clusterIP: "10.96.0.21", spec: { sessionAffinity: "ClientIP" } };
      const everything = between([], [wanted, sticky]);
      await ipvs.start(node, { log: silentLog }).apply(everything);
      const next = ipvs.start(node, { log: silentLog });
      assert.equal((await next.apply(everything)).changes, 0);
      assert.equal(await next.isIntact?.(), true);
      await ipvs.start(node, { log: silentLog }).apply(between([], [wanted]));
      assert.doesNotMatch(run("ipvsadm", "-S", "-n") + run("ip", "addr") + run("ipset", "save"), /10\.96\.0\.21/);
    });

    test("a real server that goes keeps its connection, and is removed when that has ended", async () => {
      const clock = manualClock();
      const mode = ipvs.start(node, { log: silentLog, clock });
      await mode.apply(between([], [wanted]));
      const socket = connect(80, wanted.clusterIP);
      await once(socket, "connect");
      await mode.apply(between([wanted], [{ ...wanted, pods: ["pod-b"] }]));
      assert.deepEqual(reals().sort(), [`${podIP["pod-a"]}:8080 -m -w 0`, `${podIP["pod-b"]}:8080 -m -w 1`]);
      const drain = async () => {
        clock.advance(60_000);
        await mode.isIntact?.();
      };
      await drain();
      assert.equal(reals().length, 2);
      socket.write("still there");
      assert.equal(String((await once(socket, "data"))[0]), "still there");
      socket.resetAndDestroy();
      // The kernel keeps a connection that was reset for ten seconds.
      const deadline = Date.now() + 30_000;
      while (reals().length > 1 && Date.now() < deadline) await drain();
      assert.deepEqual(reals(), [`${podIP["pod-b"]}:8080 -m -w 1`]);
      await mode.stop();
    });
  });
});
