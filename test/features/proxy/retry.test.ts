import assert from "node:assert/strict";
import { test } from "node:test";
import { manualClock } from "../../fakes/clock.ts";
import type { ProxyMode } from "#proxy/mode.ts";
import type { ServiceListener } from "#proxy/source.ts";
import { startProxy, type ServiceSource } from "#proxy/sync.ts";
import { compileTable } from "#routing/l4/compile.ts";
import { diffServices } from "#routing/l4/diff.ts";
import type { ServiceDiff, ServiceTable } from "#routing/l4/table.ts";
import { service } from "./objects.ts";

const node = { name: "node-1", addresses: [], podCidrs: [], serviceCidrs: [] };
const turn = () => new Promise((resolve) => setImmediate(resolve));
const table = (revision: string, ...names: string[]): ServiceTable => ({
  ...compileTable(
    names.map((name) => service(name)),
    [],
  ),
  revision,
});

function scene() {
  const clock = manualClock();
  const offered: ServiceDiff[] = [];
  let listener: ServiceListener = () => {};
  let failing = false;
  let intact = true;
  let seen = "0";
  const source: ServiceSource = {
    synced: Promise.resolve(),
    table: () => table("30", "a", "b"),
    revision: () => seen,
    subscribe(given) {
      listener = given;
      return () => (listener = () => {});
    },
    stop: () => {},
  };
  const mode: ProxyMode = {
    name: "nftables",
    async apply(diff) {
      offered.push(diff);
      if (failing) throw new Error("no space");
      return { revision: diff.revision, changes: 1, ms: 1 };
    },
    isIntact: async () => intact,
    stop: async () => {},
    cleanup: async () => {},
  };
  const proxy = startProxy({ source, node, mode, clock });
  return {
    proxy,
    offered,
    clock,
    tell: (diff: ServiceDiff) => listener(diff, []),
    fail: (value: boolean) => (failing = value),
    see: (revision: string) => (seen = revision),
    takeAway: (value: boolean) => (intact = !value),
    pass: async (ms: number) => {
      clock.advance(ms);
      await turn();
    },
  };
}

const idsOf = (diff: ServiceDiff | undefined) => diff?.added.map(({ name }) => name).sort();

test("changes that come together are one apply", async () => {
  const { tell, pass, offered, proxy } = scene();
  const [none, one, two] = [undefined, table("3", "a"), table("4", "a", "b")];
  tell(diffServices(none, one));
  tell(diffServices(one, two));
  await pass(2);
  assert.deepEqual(offered.map(idsOf), [["a", "b"]]);
  assert.equal(proxy.applied(), "4");
  await proxy.stop();
});

test("a change that failed is offered again, merged with what came since, and said as a problem until then", async () => {
  const { tell, pass, fail, offered, proxy, clock } = scene();
  const [one, two] = [table("3", "a"), table("4", "a", "b")];
  fail(true);
  tell(diffServices(undefined, one));
  await pass(2);
  assert.equal(proxy.applied(), "0");
  assert.deepEqual(
    proxy.problems().map(({ code }) => code),
    ["apply-failed"],
  );
  tell(diffServices(one, two));
  await pass(1);
  assert.equal(offered.length, 1, "waits before it tries again");
  fail(false);
  await pass(60);
  assert.deepEqual(offered.map(idsOf), [["a"], ["a", "b"]]);
  assert.equal(proxy.applied(), "4");
  assert.deepEqual(proxy.problems(), []);
  const none = { noLocalEndpoints: { internal: 0, external: 0 } };
  assert.match(proxy.metrics.render(none), /^kubeproxy_sync_proxy_rules_nftables_sync_failures_total\{.*\} 1$/m);
  await proxy.stop();
  assert.equal(clock.pending(), 0);
});

test("who waits for a revision is told when it, or a newer one, is in force, and when the proxy ends", async () => {
  const { tell, pass, proxy, see, clock } = scene();
  const [one, two] = [table("3", "a"), table("12", "a", "b")];
  const waiting = proxy.waitFor("9");
  let isTold = false;
  void waiting.then(() => (isTold = true));
  tell(diffServices(undefined, one));
  await pass(5);
  assert.equal(isTold, false);
  tell(diffServices(one, two));
  await pass(5);
  await waiting;
  tell({ added: [], changed: [], removed: [], revision: "20" });
  await proxy.waitFor("20");
  const bookmarked = proxy.waitFor("25");
  see("25");
  await pass(60);
  await bookmarked;
  assert.equal(proxy.applied(), "25");
  const never = assert.rejects(proxy.waitFor("26"), /the proxy of node-1 was stopped/);
  await proxy.stop();
  await never;
  assert.equal(clock.pending(), 0);
});

test("what another program took away is put in force again within half a minute", async () => {
  const { tell, pass, takeAway, offered, proxy, clock } = scene();
  tell(diffServices(undefined, table("3", "a")));
  await pass(5);
  await pass(31_000);
  assert.equal(offered.length, 1);
  takeAway(true);
  await pass(30_000);
  takeAway(false);
  await pass(5);
  assert.deepEqual(offered.map(idsOf), [["a"], ["a", "b"]]);
  await proxy.stop();
  assert.equal(clock.pending(), 0);
});
