import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "#base/log.ts";
import type { CommandResult } from "#proxy/command.ts";
import { isHealthy } from "#proxy/http/health.ts";
import type { ProxyNode } from "#proxy/mode.ts";
import { iptables } from "#proxy/modes/iptables/mode.ts";
import { ipvs } from "#proxy/modes/ipvs/mode.ts";
import { nftables } from "#proxy/modes/nftables/mode.ts";
import type { ServiceListener } from "#proxy/source.ts";
import { startProxy, type ServiceSource } from "#proxy/sync.ts";
import { compileTable } from "#routing/l4/compile.ts";
import { diffServices } from "#routing/l4/diff.ts";
import type { ServiceDiff, ServiceTable } from "#routing/l4/table.ts";
import { manualClock } from "../../fakes/clock.ts";
import { service, slice } from "./objects.ts";

/** The cluster IP that the programs refuse. */
const poison = "10.96.0.66";
const ok: CommandResult = { code: 0, stdout: "", stderr: "" };

/** How each program says which of its input it refuses; what it prints otherwise. */
const programs = {
  nftables: {
    mode: nftables,
    changes: ["nft -f -"],
    metric: "sync_proxy_rules_nftables_sync_failures_total",
    refusal: (line: string, number: number): CommandResult => {
      const column = line.indexOf(poison);
      const words = `/dev/stdin:${number}:${column + 1}-${column + 20}: Error: Could not process rule: Invalid argument`;
      return { ...ok, code: 1, stderr: `${words}\n${line}\n${" ".repeat(column)}^^^^^^^^^\n` };
    },
  },
  iptables: {
    mode: iptables,
    changes: ["iptables-restore --noflush -w 5"],
    metric: "sync_proxy_rules_iptables_restore_failures_total",
    refusal: (_: string, number: number): CommandResult => ({
      ...ok,
      code: 2,
      stderr: `iptables-restore v1.8.9 (nf_tables): no such match\nError occurred at line: ${number}\nTry \`iptables-restore -h'\n`,
    }),
  },
  ipvs: {
    mode: ipvs,
    changes: ["ipset restore -exist", "ipvsadm -R", "ip -batch -", "iptables-restore --noflush -w 5"],
    metric: "sync_proxy_rules_iptables_restore_failures_total",
    refusal: (_: string, number: number): CommandResult => ({
      ...ok,
      code: 1,
      stderr: `ipset v7.17: Error in line ${number}: Hash is full, cannot add more elements\n`,
    }),
  },
} as const;

const tableOf = (revision: string, names: readonly string[]): ServiceTable => {
  const services = names.map((name, index) =>
    service(name, { clusterIP: name === "bad" ? poison : `10.96.0.${index + 10}` }),
  );
  const slices = names.map((name) => slice(name, ["10.244.1.1"]));
  return { ...compileTable(services, slices), revision };
};

type Failure = "none" | "poison" | CommandResult;

function scene(kind: keyof typeof programs) {
  const { mode: definition, changes, refusal } = programs[kind];
  const clock = manualClock();
  /** What was given to the programs that change something, and taken. */
  const taken: string[] = [];
  const attempts: number[] = [];
  let failure: Failure = "none";
  let listener: ServiceListener = () => {};
  let now: ServiceTable | undefined;

  async function run(argv: readonly string[], input = ""): Promise<CommandResult> {
    const command = argv.filter((word) => word !== "env" && !word.includes("=")).join(" ");
    if (command.startsWith("ip -j")) return { ...ok, stdout: "[]" };
    if (!(changes as readonly string[]).includes(command)) return ok;
    attempts.push(clock.now());
    if (typeof failure === "object") return failure;
    const lines = input.split("\n");
    const number = lines.findIndex((line) => line.includes(poison));
    if (failure === "poison" && number !== -1) return refusal(lines[number] ?? "", number + 1);
    taken.push(input);
    return ok;
  }
  const node: ProxyNode = { name: "node-1", addresses: ["172.30.0.11"], podCidrs: [], serviceCidrs: [], run };
  const source: ServiceSource = {
    synced: Promise.resolve(),
    table: () => now ?? tableOf("0", []),
    revision: () => "0",
    subscribe: (given) => {
      listener = given;
      return () => {};
    },
    stop: () => {},
  };
  const mode = definition.start(node, { log: silentLog, clock });
  const proxy = startProxy({ source, node, mode, clock, checkMs: 10_000_000 });
  return {
    proxy,
    clock,
    taken,
    attempts,
    fail: (next: Failure) => (failure = next),
    tell: (revision: string, ...names: string[]) => {
      const next = tableOf(revision, names);
      const diff: ServiceDiff = diffServices(now, next);
      now = next;
      listener(diff, []);
    },
    /** In steps, so that what is planned meanwhile has its turn. */
    pass: async (ms: number) => {
      for (let step = 0; step < 20; step += 1) {
        clock.advance(ms / 20);
        for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      }
    },
    health: (timeoutMs: number) =>
      isHealthy({ families: { IPv4: proxy.freshness() }, nodeEligible: true, timeoutMs, now: clock.now() }),
    counted: (name: string) =>
      new RegExp(`^kubeproxy_${name}\\{.*\\} (\\d+)$`, "m").exec(
        proxy.metrics.render({ noLocalEndpoints: { internal: 0, external: 0 } }),
      )?.[1],
  };
}

for (const kind of ["nftables", "iptables", "ipvs"] as const) {
  test(`${kind}: of a change that is refused for one Service all others are served, and it is named and tried again`, async () => {
    const { proxy, taken, tell, pass, fail, health, counted, clock } = scene(kind);
    tell("3", "old");
    await pass(10);
    assert.equal(proxy.applied(), "3");
    fail("poison");
    taken.length = 0;
    tell("4", "old", "bad", "new");
    await pass(100);
    assert.equal(proxy.applied(), "4", "the others are in force");
    assert.match(taken.join("\n"), /10\.96\.0\.12/);
    assert.doesNotMatch(taken.join("\n"), new RegExp(poison));
    const [problem, ...others] = proxy.problems();
    assert.deepEqual(others, []);
    assert.deepEqual(problem?.at, { kind: "Service", namespace: "dev", name: "bad" });
    assert.match(problem?.message ?? "", /service port dev\/bad:.* stays as it was: .*10\.96\.0\.66.*; trying again/);
    assert.ok(Number(counted(programs[kind].metric)) >= 1);
    // Later changes of others do not wait for it either.
    tell("5", "old", "bad", "new", "newer");
    await pass(100);
    assert.equal(proxy.applied(), "5");
    assert.match(taken.join("\n"), /10\.96\.0\.13/);
    await pass(60_000);
    assert.equal(health(60_000), false, "healthz says that something waits");
    fail("none");
    await pass(31_000);
    assert.match(taken.join("\n"), new RegExp(poison));
    assert.deepEqual(proxy.problems(), []);
    assert.equal(health(60_000), true);
    await proxy.stop();
    assert.equal(clock.pending(), 0);
  });

  const failures = {
    "ends with an error": { ...ok, code: 1, stderr: "internal error\n" },
    "never ends": { ...ok, code: null, stderr: "no end after 120 s" },
    "is not there": { ...ok, code: 127, stderr: "Error: spawn ENOENT" },
  } as const satisfies Record<string, CommandResult>;
  for (const [what, failure] of Object.entries(failures)) {
    test(`${kind}: a program that ${what} changes nothing, is tried again ever more rarely, and health tells`, async () => {
      const { proxy, taken, attempts, tell, pass, fail, health, counted, clock } = scene(kind);
      tell("3", "old");
      await pass(10);
      fail(failure);
      [taken.length, attempts.length] = [0, 0];
      tell("4", "old", "new");
      await pass(20_000);
      assert.deepEqual(taken, [], "nothing was taken, and nothing taken away");
      assert.equal(proxy.applied(), "3");
      const [problem] = proxy.problems();
      assert.deepEqual(problem?.at, { kind: "Node", name: "node-1" });
      assert.ok(problem?.message.includes(failure.stderr.trim().replace("Error: ", "")), problem?.message);
      const tries = [...new Set(attempts)];
      const gaps = tries.slice(1).map((time, index) => time - (tries[index] ?? 0));
      assert.ok(tries.length >= 3 && tries.length <= 10, `tried ${tries.length} times`);
      assert.ok((gaps.at(-1) ?? 0) > 2 * (gaps[0] ?? 0), gaps.join());
      assert.equal(health(10_000), false);
      assert.ok(Number(counted(programs[kind].metric)) >= 3);
      fail("none");
      await pass(31_000);
      assert.equal(proxy.applied(), "4");
      assert.match(taken.join("\n"), /10\.96\.0\.10[^]*10\.96\.0\.11|10\.96\.0\.11[^]*10\.96\.0\.10/);
      assert.deepEqual([proxy.problems(), health(10_000)], [[], true]);
      await proxy.stop();
      assert.equal(clock.pending(), 0);
    });
  }
}
