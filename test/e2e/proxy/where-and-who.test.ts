import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import type { ProxySettings } from "#proxy/config/settings.ts";
import { startArena, type Arena } from "./arena.ts";
import { netnsOf, podIP, nodeIP, outsideIP, plans, startGround, type Ground } from "./ground.ts";
import type { Wanted } from "./objects.ts";

const isReady =
  process.getuid?.() === 0 && ["nft", "iptables"].every((name) => spawnSync(name, ["--version"]).status === 0);
const wanted: Wanted = {
  name: "web",
  clusterIP: "10.96.0.80",
  pods: ["pod-c"],
  ports: [{ port: 80, nodePort: 30_080 }],
  spec: { type: "NodePort" },
};

/** Where node ports are served, and who counts as a pod, as a configuration says it. */
describe("what a configuration says of a node", { skip: isReady ? false : "needs root, nft and iptables" }, () => {
  let ground: Ground;
  before(async () => (ground = await startGround()));
  after(() => ground.stop());

  for (const mode of ["nftables", "iptables"] as const) {
    async function told(settings: Partial<ProxySettings>, work: (arena: Arena) => Promise<void>): Promise<void> {
      const arena = await startArena(mode, ground, settings);
      try {
        await arena.serve(wanted);
        await work(arena);
      } finally {
        await arena.stop();
      }
    }
    const at = async (arena: Arena, from: string, host: string, port = 30_080) =>
      (await arena.tcp(from, { host, port }))[0] ?? "";
    const { gateway } = plans[4];

    test(`${mode}: node ports are at the addresses of the Node object with primary, or in the ranges that are given`, async () => {
      await told({ nodePortAddresses: "primary" }, async (arena) => {
        assert.match(await at(arena, "outside", nodeIP["node-1"]), /^pod-c/);
        assert.doesNotMatch(await at(arena, "node-1", gateway), /^pod-c/);
      });
      await told({ nodePortAddresses: ["10.244.0.0/16"] }, async (arena) => {
        assert.match(await at(arena, "node-1", gateway), /^pod-c/);
        assert.doesNotMatch(await at(arena, "outside", nodeIP["node-1"]), /^pod-c/);
      });
    });

    test(`${mode}: a pod is what comes in by the bridge, and keeps its address; everybody else takes the node's`, () =>
      told({ podInterface: "cni0", podCidrs: [] }, async (arena) => {
        const { host } = arena.place(wanted, "service");
        assert.equal(await at(arena, "pod-a", host, 80), `pod-c ${podIP["pod-a"]}`);
        assert.equal(await at(arena, "outside", host, 80), `pod-c ${nodeIP["node-1"]}`);
      }));

    test(`${mode}: with masqueradeAll a pod takes the node's address too, and without anybody known nobody does`, async () => {
      await told({ masqueradeAll: true }, async (arena) => {
        const { host } = arena.place(wanted, "service");
        assert.equal(await at(arena, "pod-a", host, 80), `pod-c ${nodeIP["node-1"]}`);
      });
      await told({ podCidrs: [] }, async (arena) => {
        // One whose answer comes back by the way that the question took.
        await arena.serve({ ...wanted, pods: ["pod-a"] });
        const { host } = arena.place(wanted, "service");
        assert.equal(await at(arena, "outside", host, 80), `pod-a ${outsideIP}`);
      });
    });

    test(`${mode}: the kernel of a node remembers flows as long as it is told`, () =>
      told({ conntrack: { tcpCloseWaitTimeout: 77_000, udpTimeout: 11_000 } }, async () => {
        const names = ["net.netfilter.nf_conntrack_tcp_timeout_close_wait", "net.netfilter.nf_conntrack_udp_timeout"];
        const argv = [`--net=${netnsOf("node-1")}`, "sysctl", "-n", ...names];
        assert.equal(spawnSync("nsenter", argv, { encoding: "utf8" }).stdout, "77\n11\n");
      }));
  }
});
