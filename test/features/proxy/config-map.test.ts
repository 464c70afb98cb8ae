import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "#base/log.ts";
import { createFakeClient } from "#client/fake.ts";
import { configKey, configMapKey, followConfigMap } from "#proxy/config/config-map.ts";
import type { ProxySettings } from "#proxy/config/settings.ts";
import { manualClock } from "../../fakes/clock.ts";

const head = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n";
const mapOf = (text: string) => ({
  apiVersion: "v1" as const,
  kind: "ConfigMap" as const,
  metadata: configMapKey,
  data: { [configKey]: head + text },
});

async function scene(text: string | undefined) {
  const client = createFakeClient(text === undefined ? [] : [mapOf(text)]);
  const taken: ProxySettings[] = [];
  const told: string[] = [];
  let fails: string | undefined;
  const followed = await followConfigMap({ client, mode: "nftables", log: silentLog, clock: manualClock() });
  followed.follow(
    async (settings) => {
      if (fails !== undefined) throw new Error(fails);
      taken.push(settings);
      return `mode ${settings.mode}`;
    },
    (said) => told.push(said),
  );
  return {
    client,
    followed,
    taken,
    told,
    fail: (why: string | undefined) => (fails = why),
    say: async (text: string) => {
      await client.update("ConfigMap", mapOf(text));
      await new Promise((resolve) => setImmediate(resolve));
    },
    events: async () => {
      await followed.stop();
      return (await client.list("Event")).items.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
    },
  };
}

test("what the ConfigMap says newly is in use at once, with an Event on it, and the same again changes nothing", async () => {
  const { followed, taken, told, say, events } = await scene('mode: ""');
  assert.equal(followed.settings.mode, "nftables", "what --proxy-mode says where it says nothing");
  await say("mode: iptables\niptables: { minSyncPeriod: 1s, masqueradeBit: 15 }");
  await say("mode: iptables\niptables: { minSyncPeriod: 1s, masqueradeBit: 15 } # the same");
  assert.deepEqual(
    taken.map(({ mode, minSyncMs }) => [mode, minSyncMs]),
    [["iptables", 1000]],
  );
  const text =
    "the service proxy follows ConfigMap kube-system/kube-proxy: mode iptables; without effect here: iptables.masqueradeBit";
  assert.deepEqual(told, [text]);
  assert.deepEqual(await events(), [`Normal ProxyConfigurationApplied: ${text}`]);
});

test("one that cannot be read or had leaves what was in use, and an Event says why with line and path", async () => {
  const { taken, say, fail, events } = await scene("mode: nftables");
  await say("mode: iptable\nclusterCDIR: 10.0.0.0/8");
  fail("node node-1: proxy mode ipvs: no such thing here");
  await say("mode: ipvs");
  fail(undefined);
  await say("mode: iptables");
  assert.deepEqual(
    taken.map(({ mode }) => mode),
    ["iptables"],
  );
  const [unread, unhad] = await events();
  assert.match(
    unread ?? "",
    /^Warning InvalidProxyConfiguration: .*config\.conf:3: mode must be one of .*did you mean iptables\?/,
  );
  assert.match(
    unread ?? "",
    /config\.conf:4: clusterCDIR is not a key; did you mean clusterCIDR\?; what was in use stays/,
  );
  assert.match(
    unhad ?? "",
    /^Warning ProxyConfigurationFailed: .*proxy mode ipvs: no such thing here; what was in use stays/,
  );
});

test("a cluster starts with the defaults when its ConfigMap says nothing that can be used", async () => {
  const { followed, events } = await scene("mode: 7");
  assert.equal(followed.settings.mode, "nftables");
  assert.match((await events())[0] ?? "", /^Warning InvalidProxyConfiguration: .*mode must be one of/);
  const refused = await scene("mode: ipvs");
  assert.equal(refused.followed.settings.mode, "ipvs");
  assert.equal(refused.followed.withoutIt("proxy mode ipvs is not there").mode, "nftables");
  assert.match((await refused.events())[0] ?? "", /proxy mode ipvs is not there; the defaults are used/);
  const { followed: without } = await scene(undefined);
  assert.deepEqual(without.settings.faces.healthz, { address: "0.0.0.0", port: 10_256 });
  await without.stop();
});
