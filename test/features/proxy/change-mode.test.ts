import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "#base/log.ts";
import { createFakeClient } from "#client/fake.ts";
import type { ModeDefinition } from "#proxy/definition.ts";
import { startNodeProxy } from "#proxy/node-proxy.ts";
import { startServiceSource } from "#proxy/source.ts";
import { manualClock } from "../../fakes/clock.ts";
import { service } from "./objects.ts";

const node = { name: "node-1", addresses: [], podCidrs: [], serviceCidrs: [] };
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function scene() {
  const clock = manualClock();
  const log: string[] = [];
  const broken = new Set<string>();
  const lost = new Set<string>();
  let tampered = 0;
  const definition = (name: "nftables" | "iptables"): ModeDefinition => ({
    name,
    probe: async () => ({ works: true }),
    cleanup: async () => {},
    start: ({ zone = "nowhere" }) => ({
      name,
      async apply({ revision, added }) {
        if (broken.has(name)) throw new Error(`${name} is broken`);
        log.push(`${name} in ${zone} applies ${added.length}`);
        return { revision, changes: 1, ms: 1 };
      },
      isIntact: async () => !lost.delete(name),
      stop: async () => void log.push(`${name} stops`),
      cleanup: async () => void log.push(`${name} cleans up`),
    }),
  });
  const source = startServiceSource(createFakeClient([service("a")]), { clock });
  await source.synced;
  const work = (name: "nftables" | "iptables", zone?: string) => ({
    definition: definitions[name],
    node: { ...node, ...(zone !== undefined && { zone }) },
    minSyncMs: 1,
    checkMs: 10_000,
  });
  const definitions = { nftables: definition("nftables"), iptables: definition("iptables") };
  const proxy = startNodeProxy(work("nftables"), { source, log: silentLog, clock, tampered: () => (tampered += 1) });
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 500) {
      clock.advance(Math.min(left, 500));
      await turn();
    }
  };
  await pass(500);
  return { proxy, log, broken, lost, work, pass, clock, source, tampered: () => tampered };
}

test("another mode is in force before the one before goes, and what that took along is made again in silence", async () => {
  const { proxy, log, lost, work, pass, source, tampered } = await scene();
  const waiting = proxy.waitFor("99");
  lost.add("iptables");
  const change = proxy.change(work("iptables"));
  await pass(1500);
  await change;
  await pass(500);
  assert.equal(proxy.mode, "iptables");
  assert.deepEqual(log, [
    "nftables in nowhere applies 1",
    "iptables in nowhere applies 1",
    "nftables stops",
    "nftables cleans up",
    "iptables in nowhere applies 1",
  ]);
  assert.equal(tampered(), 0);
  assert.match(
    proxy.metrics.render({ noLocalEndpoints: { internal: 0, external: 0 } }),
    /rules_duration_seconds_count\{.*\} 3/,
  );
  const never = assert.rejects(waiting, /the proxy of node-1 was stopped/);
  await proxy.stop();
  await never;
  source.stop();
});

test("a mode that puts nothing in force within a minute is given up, and the one before has served all the time", async () => {
  const { proxy, log, broken, work, pass, source } = await scene();
  broken.add("iptables");
  const refused = assert.rejects(proxy.change(work("iptables")), /proxy mode iptables: .*iptables is broken/);
  await pass(61_000);
  await refused;
  assert.equal(proxy.mode, "nftables");
  assert.deepEqual(log.slice(1), ["iptables stops", "iptables cleans up"]);
  await proxy.stop();
  source.stop();
});

test("a node that is in another zone now is served anew by the same mode, whose rules stay meanwhile", async () => {
  const { proxy, log, work, pass, source } = await scene();
  const change = proxy.change(work("nftables", "east"));
  await pass(1500);
  await change;
  await proxy.change(work("nftables", "east"));
  assert.deepEqual(log, ["nftables in nowhere applies 1", "nftables stops", "nftables in east applies 1"]);
  await proxy.stop();
  source.stop();
});
