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
  assert.equal(best.mode && best.warning, undefined);
  assert.equal(next.mode && next.warning, "proxy mode iptables is used, not nftables: no nft");
});

test("a mode asked for by name is never changed silently", async () => {
  const refused = await chooseMode("nftables", noKernel);
  assert.deepEqual(refused, {
    code: "mode-does-not-work",
    message: "proxy mode nftables: no nft; use one of nftables, iptables, ipvs, userspace, or auto",
  });
});

test("ipvs on a kernel without it is iptables, with a warning; where that does not work either, it is refused", async () => {
  const without =
    (...names: string[]) =>
    async ({ name }: { name: string }): Promise<ModeProbe> =>
      names.includes(name) ? { works: false, reason: "no such module" } : { works: true };
  const asked = await chooseMode("ipvs", works);
  assert.deepEqual(asked.mode && [asked.mode.name, asked.warning], ["ipvs", undefined]);
  const fallen = await chooseMode("ipvs", without("ipvs"));
  assert.equal(fallen.mode?.name, "iptables");
  assert.equal(fallen.mode && fallen.warning, "proxy mode iptables is used, not ipvs: no such module");
  const refused = await chooseMode("ipvs", without("ipvs", "iptables"));
  assert.match(refused.mode === undefined ? refused.message : "", /proxy mode ipvs: .*; iptables: .*; use one of/);
});
