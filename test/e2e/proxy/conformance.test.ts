import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import type { ProxyModeName } from "#proxy/mode.ts";
import { startArena, type Arena } from "./arena.ts";
import { cases } from "./cases.ts";
import { netnsOf, startGround, type Ground } from "./ground.ts";

const isReady = process.getuid?.() === 0 && spawnSync("nft", ["--version"]).status === 0;
const skip = isReady ? false : "needs root and nft";
const modes: readonly ProxyModeName[] = ["nftables", "userspace"];

/** One suite of real traffic, run on every mode; which mode cannot show a promise stands with the promise. */
describe("service proxy", { skip }, () => {
  let ground: Ground;
  before(async () => (ground = await startGround()));
  after(() => ground.stop());

  for (const mode of modes) {
    describe(mode, () => {
      let arena: Arena;
      before(async () => (arena = await startArena(mode, ground)));
      after(() => arena.stop());
      for (const [index, { name, modes, run }] of cases.entries()) {
        if (!modes.includes(mode)) continue;
        test(name, () => run(arena, { name: `s-${index}`, clusterIP: `10.96.0.${20 + index}`, pods: [] }));
      }
      test("no problem is left over", () => assert.deepEqual(arena.proxies.problems(), []));
    });
  }

  test("a clean-up leaves nothing in the kernel, twice over", async () => {
    const arena = await startArena("nftables", ground);
    await arena.serve({ name: "last", clusterIP: "10.96.0.200", pods: ["pod-a"] });
    await arena.stop();
    await arena.proxies.cleanup();
    const { stdout } = spawnSync("nsenter", [`--net=${netnsOf("node-1")}`, "nft", "list", "tables"], {
      encoding: "utf8",
    });
    assert.doesNotMatch(stdout, /kube-proxy/);
  });
});
