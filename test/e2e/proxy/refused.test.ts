import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { findProgram } from "#roles/packages.ts";
import { eventually } from "../../fakes/eventually.ts";
import { startArena, type Arena } from "./arena.ts";
import { netnsOf, startGround, type Ground } from "./ground.ts";
import type { Wanted } from "./objects.ts";

const isReady =
  process.getuid?.() === 0 && ["nft", "iptables"].every((name) => spawnSync(name, ["--version"]).status === 0);
const folder = mkdtempSync(join(tmpdir(), "fairlead-tools-"));
const order = join(folder, "order");

/**
 * Stands before a program on the PATH. What the file `order` says: nothing, and it is the program itself; `break`: it
 * gives the program no more than the first part of its input, and fails; `refuse TEXT`: it fails at the line that holds
 * the text, as the program does.
 */
const wrapperOf = (program: string) => `#!/bin/sh
read what text 2>/dev/null < ${order}
case "$what$*" in
break*--version*|break*save*) exec ${program} "$@" ;;
break*-i) exit 1 ;;
break*) sed '/^COMMIT/q' | ${program} "$@"; echo "broke off" >&2; exit 1 ;;
refuse*)
  input=${folder}/input.$$
  cat > $input
  line=$(grep -n -m1 -F -- "$text" $input | cut -d: -f1)
  [ -z "$line" ] && exec ${program} "$@" < $input
  echo "iptables-restore: refused" >&2; echo "Error occurred at line: $line" >&2; exit 2 ;;
*) exec ${program} "$@" ;;
esac
`;

describe("a kernel or a program that refuses", { skip: isReady ? false : "needs root, nft and iptables" }, () => {
  let ground: Ground;
  const path = process.env["PATH"] ?? "";
  const say = (text: string) => writeFileSync(order, `${text}\n`);
  before(async () => {
    say("");
    for (const name of ["nft", "iptables-restore", "ip6tables-restore"]) {
      writeFileSync(join(folder, name), wrapperOf(findProgram(name) ?? name));
      chmodSync(join(folder, name), 0o755);
    }
    process.env["PATH"] = `${folder}:${path}`;
    ground = await startGround();
  });
  after(async () => {
    process.env["PATH"] = path;
    await ground.stop();
    rmSync(folder, { recursive: true });
  });

  const old: Wanted = { name: "old", clusterIP: "10.96.0.60", pods: ["pod-a"] };
  const bad: Wanted = { name: "bad", clusterIP: "10.96.0.66", pods: ["pod-b"] };
  const other: Wanted = { name: "other", clusterIP: "10.96.0.67", pods: ["pod-c"] };
  const served = async (arena: Arena, wanted: Wanted) => {
    const [answer = ""] = await arena.tcp("pod-a", arena.place(wanted, "service"));
    assert.match(answer, new RegExp(`^${wanted.pods[0]}`), wanted.name);
  };
  const named = (arena: Arena) => arena.proxies.problems().map(({ at, code }) => `${at.kind} ${at.name} ${code}`);

  async function withArena(mode: "nftables" | "iptables", work: (arena: Arena) => Promise<void>): Promise<void> {
    const arena = await startArena(mode, ground);
    try {
      await arena.serve(old);
      await work(arena);
    } finally {
      say("");
      await arena.stop();
    }
  }

  /** The one Service waits, and all others are served meanwhile and later. */
  async function othersGoOn(arena: Arena): Promise<void> {
    await arena.serve(bad);
    assert.deepEqual([...new Set(named(arena))], ["Service bad apply-failed"]);
    assert.match(arena.proxies.problems()[0]?.message ?? "", /service port default\/bad:.* 10\.96\.0\.66/);
    await arena.serve(other);
    await served(arena, other);
    await served(arena, old);
  }

  test("nftables: an element that the kernel refuses is of one Service, and no other waits for it", () =>
    withArena("nftables", async (arena) => {
      const foreign = "add element ip kube-proxy services { 10.96.0.66 . tcp . 80 : drop }";
      for (const node of ["node-1", "node-2"]) {
        assert.equal(spawnSync("nsenter", [`--net=${netnsOf(node)}`, "nft", foreign]).status, 0);
      }
      await othersGoOn(arena);
      // The others were made anew, without what was in the way.
      await eventually(() => served(arena, bad));
      await eventually(() => assert.deepEqual(named(arena), []));
    }));

  test("iptables: a rule that is refused is of one Service, and no other waits for it", () =>
    withArena("iptables", async (arena) => {
      say(`refuse ${bad.clusterIP}`);
      await othersGoOn(arena);
      say("");
      await eventually(() => served(arena, bad));
      await eventually(() => assert.deepEqual(named(arena), []));
    }));

  for (const mode of ["nftables", "iptables"] as const) {
    test(`${mode}: what stands there goes on while the program breaks off half-way, and the rest follows`, () =>
      withArena(mode, async (arena) => {
        say("break");
        for (const child of childrenOf(process.pid)) if (child.command.includes("nft\0-i")) process.kill(child.pid);
        const waiting = arena.serve(other);
        await eventually(() => assert.ok(named(arena).includes("Node node-1 apply-failed"), named(arena).join()));
        for (let time = 0; time < 5; time += 1) await served(arena, old);
        say("");
        await waiting;
        await served(arena, other);
        await served(arena, old);
        assert.deepEqual(named(arena), []);
      }));
  }
});

/** The programs that this process has started and that run still. */
function childrenOf(pid: number): { pid: number; command: string }[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text
    .trim()
    .split(" ")
    .filter((each) => each !== "")
    .map((each) => ({ pid: Number(each), command: readFileSync(`/proc/${each}/cmdline`, "utf8") }));
}
