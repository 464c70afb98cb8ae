import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { settingsOf } from "#proxy/config/settings.ts";
import { modes } from "#proxy/modes/index.ts";
import { startArena, type Arena } from "./arena.ts";
import { netnsOf, startGround, type Ground } from "./ground.ts";

const kernelModes = modes.map(({ name }) => name).filter((name) => name !== "userspace");
const isReady = process.getuid?.() === 0 && spawnSync("nft", ["--version"]).status === 0;
const skip = !isReady ? "needs root and nft" : kernelModes.length < 2 && "only one mode of the kernel is built";

/** What of services stands in a node's kernel. */
function rulesIn(node: string): { nftables: boolean; iptables: boolean } {
  const run = (...argv: string[]) =>
    spawnSync("nsenter", [`--net=${netnsOf(node)}`, ...argv], { encoding: "utf8" }).stdout;
  return {
    nftables: /^table ip kube-proxy$/m.test(run("nft", "list", "tables") ?? ""),
    iptables: /^:KUBE-SERVICES /m.test(run("iptables-save") ?? ""),
  };
}

describe("a change of the proxy mode", { skip }, () => {
  let ground: Ground;
  let arena: Arena;
  before(async () => {
    ground = await startGround();
    arena = await startArena("nftables", ground);
  });
  after(async () => {
    await arena?.stop();
    await ground?.stop();
  });

  test("loses no connection, and leaves the rules of one mode alone", async () => {
    const wanted = { name: "web", clusterIP: "10.96.0.70", pods: ["pod-a", "pod-b", "pod-c"] as const };
    await arena.serve(wanted);
    for (const mode of [...kernelModes.filter((name) => name !== "nftables"), "nftables" as const]) {
      let isDone = false;
      const answers: string[] = [];
      const asking = (async () => {
        while (!isDone) answers.push(...(await arena.tcp("pod-b", arena.place(wanted, "service"), 10)));
      })();
      const { reason } = await arena.proxies.configure(settingsOf({}, mode)).then(
        () => ({ reason: undefined }),
        (error: Error) => ({ reason: error.message }),
      );
      isDone = true;
      await asking;
      // A kernel may lack what a mode needs; then everything stays as it was.
      if (reason !== undefined) {
        assert.match(reason, new RegExp(`proxy mode ${mode}`));
        continue;
      }
      assert.deepEqual(
        answers.filter((answer) => !answer.startsWith("pod-")),
        [],
        mode,
      );
      assert.ok(answers.length > 0);
      const used = arena.proxies.modes.get("node-1")?.name;
      // A kernel without ip_vs: the mode that stands in for it.
      if (used !== mode) assert.equal(used, modes.find(({ name }) => name === mode)?.fallback);
      const rules = rulesIn("node-1");
      assert.deepEqual(rules, { nftables: used === "nftables", iptables: used !== "nftables" }, mode);
      assert.equal((await arena.tcp("outside", arena.place(wanted, "service"))).length, 1);
    }
  });
});
