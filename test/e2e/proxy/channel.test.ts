import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { NftError, openNftChannel, type NftChannel } from "#proxy/modes/nftables/channel.ts";

const isReady = process.getuid?.() === 0 && spawnSync("nft", ["--version"]).status === 0;
const elements = () => execFileSync("nft", ["list", "set", "ip", "own", "s"], { encoding: "utf8" });

/** The `nft -i` processes below this one. */
function children(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const parent = /^\d+ \(nft\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];
        return parent === String(process.pid);
      } catch {
        return false;
      }
    });
}

describe("the channel to nftables", { skip: isReady ? false : "needs root and nft" }, () => {
  let channel: NftChannel;
  before(async () => {
    channel = openNftChannel({ lineLimit: 2000 });
    await channel.run(["add table ip own", "add set ip own s { type inet_service; }"]);
  });
  after(() => channel.close());

  test("a transaction is in force when its promise resolves, and many are so in their order", async () => {
    const ports = Array.from({ length: 50 }, (_, index) => index + 1);
    await Promise.all(ports.map((port) => channel.run([`add element ip own s { ${port} }`])));
    await Promise.all(ports.slice(1).map((port) => channel.run([`delete element ip own s { ${port} }`])));
    assert.match(elements(), /elements = \{ 1 \}/);
    assert.equal(children().length, 1);
  });

  test("a refused transaction changes nothing, and its error is its own", async () => {
    const bad = channel.run(["add element ip own s { 7 }", "delete element ip own s { 999 }"]);
    const good = channel.run(["add element ip own s { 8 }"]);
    const worse = channel.run(["this is no command"]);
    await assert.rejects(bad, (error: unknown) => error instanceof NftError && error.message.includes("999"));
    await good;
    await assert.rejects(
      worse,
      (error: unknown) => error instanceof NftError && error.message.includes("this is no command"),
    );
    assert.match(elements(), /elements = \{ 1, 8 \}/);
  });

  test("a long transaction goes to a program of its own, in turn with the others", async () => {
    const many = Array.from({ length: 2000 }, (_, index) => 10_000 + index);
    const first = channel.run(["add element ip own s { 9 }"]);
    const long = channel.run(["delete element ip own s { 9 }", `add element ip own s { ${many.join(", ")} }`]);
    await Promise.all([first, long, channel.run(["add element ip own s { 10 }"])]);
    const text = elements();
    assert.equal(text.match(/\d+(?=[, ])/g)?.length, 2003);
    assert.doesNotMatch(text, / 9,/);
  });

  test("when the program is killed the next transaction starts another", async () => {
    const [pid = 0] = children();
    process.kill(pid, "SIGKILL");
    await channel.run(["add element ip own s { 11 }"]).catch(() => channel.run(["add element ip own s { 11 }"]));
    assert.notEqual(children()[0], pid);
  });

  test("a closed channel leaves no program behind and refuses", async () => {
    await channel.close();
    assert.deepEqual(children(), []);
    await assert.rejects(channel.run(["add element ip own s { 12 }"]), /closed/);
  });
});
