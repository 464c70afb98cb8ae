import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModeProbe } from "#proxy/definition.ts";
import { chooseMode } from "#proxy/modes/index.ts";

const works = async (): Promise<ModeProbe> => ({ works: true });
const noKernel = async ({ name }: { name: string }): Promise<ModeProbe> =>
  name === "nftables" ? { works: false, reason: "no nft" } : { works: true };

test("auto takes the best mode that works, and says why not a better one", async () => {
  const best = await chooseMode("auto", works);
  const next = await chooseMode("auto", noKernel);
  assert.equal(best.mode?.name, "nftables");
  assert.equal(next.mode?.name, "iptables");
  assert.equal(next.mode && next.reason, "nftables: no nft");
});

test("a mode asked for by name is never changed silently", async () => {
  const refused = await chooseMode("nftables", noKernel);
  assert.deepEqual(refused, {
    code: "mode-does-not-work",
    message: "proxy mode nftables: no nft; use one of nftables, iptables, userspace, or auto",
  });
  for (const name of ["ipvs"] as const) {
    const answer = await chooseMode(name, works);
    assert.equal(answer.mode, undefined);
    assert.equal(answer.mode === undefined && answer.code, "mode-not-built");
  }
});
