import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import type { ProxyModeName } from "#proxy/mode.ts";
import { runInMachine, whyNoMachine } from "../../../scripts/vm.ts";
import { inFamily, startArena, type Arena } from "./arena.ts";
import { cases, ownPlaces } from "./cases.ts";
import { families, hasIPv6, netnsOf, plans, startGround, type Ground } from "./ground.ts";

const programs = ["nft", "iptables"] as const;
const isReady = process.getuid?.() === 0 && programs.every((name) => spawnSync(name, ["--version"]).status === 0);
const skip = isReady ? false : "needs root, nft and iptables";
/** Most kernels have ip_vs as a module; where it is missing, a virtual machine with another kernel runs that part. */
const hasIpvs = spawnSync("ipvsadm", ["-L", "-n"]).status === 0;
const withoutMachine = whyNoMachine();
const skipIpvs = hasIpvs || withoutMachine === undefined ? false : `this kernel has no ip_vs: ${withoutMachine}`;
/** Inside it, what was shown is told to the run outside. */
const isInside = process.env["FAIRLEAD_OUTCOMES"] === "told";
const modes: readonly ProxyModeName[] = ["nftables", "iptables", "ipvs", "userspace"];

/** By mode, family and case: how it went. */
const outcomes = new Map<string, string>();

/** What was shown where, as a table of cases, modes and families. */
function printOutcomes(): void {
  const columns = modes.flatMap((mode) => families.map((family) => ({ mode, family, title: `${mode} IPv${family}` })));
  const reasons = [...new Set([ownPlaces, ...cases.flatMap(({ others = [] }) => others)])];
  const lines = cases.map((one, index) => {
    const cells = columns.map(({ mode, family, title }) => {
      const reason = mode === "userspace" ? ownPlaces : (one.others ?? "");
      const instead = one.modes.includes(mode)
        ? mode === "ipvs" && skipIpvs !== false
          ? "no ip_vs here"
          : "not run"
        : `(${reasons.indexOf(reason) + 1})`;
      return (outcomes.get(`${mode} ${family} ${index}`) ?? instead).padEnd(title.length);
    });
    return `${cells.join(" | ")} | ${one.name}`;
  });
  const notes = reasons.map((reason, index) => `(${index + 1}) ${reason}`);
  console.log(["", columns.map(({ title }) => title).join(" | "), ...lines, ...notes].join("\n"));
}

/** One suite of real traffic, run on every mode for both families; which mode cannot show a promise stands with the promise. */
describe("service proxy", { skip }, () => {
  let ground: Ground;
  before(async () => (ground = await startGround()));
  after(async () => {
    await ground.stop();
    if (isInside) console.log(`outcomes: ${JSON.stringify([...outcomes])}`);
    else printOutcomes();
  });

  /** The part of ipvs, run on another kernel; its tests tell one after the other how theirs went. */
  let machine: ReturnType<typeof runInMachine> | undefined;
  async function inMachine(): Promise<string> {
    machine ??= runInMachine([import.meta.filename], { only: "ipvs", env: { FAIRLEAD_OUTCOMES: "told" } });
    const { text } = await machine;
    const [, told = "[]"] = /outcomes: (\[.*\])/.exec(text) ?? [];
    for (const [place, how] of JSON.parse(told) as [string, string][]) {
      outcomes.set(place, how);
    }
    return text;
  }

  // What runs elsewhere takes longest.
  const order = [...modes].sort((a, b) => Number(a === "ipvs" && !hasIpvs) - Number(b === "ipvs" && !hasIpvs));
  for (const mode of order) {
    const isElsewhere = mode === "ipvs" && !hasIpvs;
    describe(mode, { skip: mode === "ipvs" ? skipIpvs : false }, () => {
      let arena: Arena;
      if (!isElsewhere) {
        before(async () => (arena = await startArena(mode, ground)));
        after(() => arena.stop());
      }
      for (const [index, { name, modes, isDual = false, run }] of cases.entries()) {
        if (!modes.includes(mode) || (isDual && !hasIPv6)) continue;
        for (const family of families) {
          test(`IPv${family}: ${name}`, async () => {
            const place = `${mode} ${family} ${index}`;
            outcomes.set(place, "FAILED");
            if (isElsewhere) {
              const text = await inMachine();
              assert.equal(outcomes.get(place), "ok", text.slice(-6000));
              return;
            }
            const clusterIP = plans[family].clusterIP(20 + index);
            await run(inFamily(arena, family), { name: `s-${family}-${index}`, clusterIP, pods: [] });
            outcomes.set(place, "ok");
          });
        }
      }
      test("no problem is left over", async () => {
        if (!isElsewhere) assert.deepEqual(arena.proxies.problems(), []);
        else assert.match(await inMachine(), /✔ no problem is left over/);
      });
    });
  }

  for (const mode of ["nftables", "iptables", "ipvs"] as const) {
    const name = `a clean-up of ${mode} leaves nothing in the kernel, twice over`;
    test(name, { skip: mode === "ipvs" ? skipIpvs : false }, async () => {
      if (mode === "ipvs" && !hasIpvs) {
        assert.ok((await inMachine()).includes(`✔ ${name}`));
        return;
      }
      const arena = await startArena(mode, ground);
      await arena.serve({ name: "last", clusterIP: "10.96.0.200", pods: ["pod-a"] });
      assert.match(rulesOf("node-1"), /kube-proxy/i);
      await arena.stop();
      await arena.proxies.cleanup();
      assert.doesNotMatch(rulesOf("node-1"), /kube-/i);
    });
  }
});

/** All that a mode could have left on a node; each thing of the modes has `kube-` in its name, or gets it here. */
function rulesOf(node: string): string {
  const show = (...argv: string[]) =>
    spawnSync("nsenter", [`--net=${netnsOf(node)}`, ...argv], { encoding: "utf8" }).stdout;
  return [
    show("nft", "list", "ruleset"),
    show("iptables-save"),
    show("ip6tables-save"),
    show("ipset", "save"),
    show("ip", "link"),
    show("ipvsadm", "-S", "-n").replaceAll(/^-A/gm, "kube-server"),
    ...["-4", "-6"].map((family) => show("ip", family, "rule").replaceAll(/^990:/gm, "kube-rule")),
  ].join("\n");
}
