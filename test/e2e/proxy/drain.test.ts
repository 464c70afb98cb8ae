import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import type { ProxyModeName } from "#proxy/mode.ts";
import { startArena, type Arena } from "./arena.ts";
import { startGround, type Ground } from "./ground.ts";
import { endpointOf, type PodName, type Wanted } from "./objects.ts";

const isReady =
  process.getuid?.() === 0 && ["nft", "iptables"].every((name) => spawnSync(name, ["--version"]).status === 0);
const hasIpvs = spawnSync("ipvsadm", ["-L", "-n"]).status === 0;
const seconds = Number(process.env["DRAIN_SECONDS"] ?? 15);
/** One mode alone, or all of them. */
const only = process.env["DRAIN_MODE"];
const pods: readonly PodName[] = ["pod-a", "pod-b", "pod-c"];
/** A port that no other test uses: it is closed and opened here. */
const podPort = 8081;

/**
 * A rolling update that never ends: one pod after the other is asked to go, is out of force everywhere, refuses from
 * then on, and comes back. Meanwhile clients open connections as fast as they can; not one may fail.
 */
describe("rolling updates under load", { skip: isReady ? false : "needs root, nft and iptables" }, () => {
  let ground: Ground;
  before(async () => (ground = await startGround()));
  after(() => ground.stop());

  for (const mode of ["nftables", "iptables", "ipvs", "userspace"] as const satisfies readonly ProxyModeName[]) {
    if (only !== undefined && only !== mode) continue;
    const without = mode === "ipvs" && !hasIpvs ? "this kernel has no ip_vs" : false;
    test(`${mode}: no connection fails in ${seconds} seconds`, { skip: without }, async () => {
      const arena = await startArena(mode, ground);
      try {
        await roll(arena);
      } finally {
        await arena.stop();
      }
    });
  }

  async function roll(arena: Arena): Promise<void> {
    const own: Wanted = { name: "rolling", clusterIP: "10.96.0.99", pods: [] };
    const serve = (leaving?: PodName) =>
      arena.serve(own, (slice) => ({
        ...slice,
        ports: [{ name: "", protocol: "TCP", port: podPort }],
        endpoints: pods.map((pod) =>
          endpointOf(pod, pod === leaving ? { ready: false, serving: true, terminating: true } : {}),
        ),
      }));
    await serve();
    const question = { ask: "load", ...arena.place(own, "service"), ms: seconds * 1000 } as const;
    const clients = arena.mode === "userspace" ? ["outside"] : ["pod-a", "node-1", "outside"];
    let isOver = false;
    const loads = Promise.all(clients.map((from) => ground.ask(from, question))).finally(() => (isOver = true));
    let updates = 0;
    for (; !isOver || updates < pods.length; updates += 1) {
      const leaving = pods[updates % pods.length] ?? "pod-a";
      await serve(leaving);
      await ground.ask(leaving, { ask: "close", port: podPort });
      // For as long as it takes others to be asked: connections that went the old way would fail now.
      assert.equal((await arena.tcp("outside", arena.place(own, "service"), 10)).length, 10);
      await ground.ask(leaving, { ask: "open", port: podPort });
      await serve();
    }
    for (const outcomes of (await loads) as Record<string, number>[]) {
      assert.deepEqual(Object.keys(outcomes).sort(), [...pods], JSON.stringify(outcomes));
    }
  }
});
