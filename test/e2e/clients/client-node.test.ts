import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CoreV1Api,
  KubeConfig,
  makeInformer,
  type Informer,
  type ObjectCache,
  type V1ConfigMap,
} from "@kubernetes/client-node";
import type { ConfigMap } from "#api/core/configmap/kind.ts";
import type { Client } from "#client/contract.ts";
import { createRemoteClient } from "#client/remote.ts";
import { startInformer } from "#client/informer.ts";
import { startTestServer } from "../../fakes/api-server.ts";
import { manualClock } from "../../fakes/clock.ts";
import { startRelay } from "./relay.ts";

const objects = 10_000;
const namespaces = Array.from({ length: 20 }, (_, index) => `ns-${index}`);
/** So many cuts, with so many changes around each. */
const cuts = 40;
const changes = 60;
/** Longer than changes are kept for those who resume. */
const longAgo = 10 * 60_000;

test("informers of client-node and our own, cut off again and again, end with what a list shows", async (t) => {
  const clock = manualClock();
  const server = await startTestServer({ clock });
  const relay = await startRelay(server.addresses()[0]?.port ?? 0);
  const writer = server.localClient({ name: "writer", groups: ["system:masters"] });
  const keys = await fill(writer);

  const config = new KubeConfig();
  const { ca, admin } = server.certificates;
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  config.loadFromClusterAndUser(
    { name: "c", server: `https://127.0.0.1:${relay.port}`, caData: base64(ca), skipTLSVerify: false },
    { name: "u", certData: base64(admin.cert), keyData: base64(admin.key) },
  );
  const api = config.makeApiClient(CoreV1Api);
  const path = "/api/v1/configmaps";
  let lists = 0;
  const list = (labelSelector?: string) => {
    lists += 1;
    return api.listConfigMapForAllNamespaces(labelSelector === undefined ? {} : { labelSelector });
  };
  const all = makeInformer(config, path, () => list());
  const labelSelector = "chosen=yes";
  const chosen = makeInformer(config, path, () => list(labelSelector), labelSelector);
  const own = createRemoteClient({ server: `https://127.0.0.1:${relay.port}`, ca, ...admin, name: "own" });
  const ours = startInformer(own, "ConfigMap", {});
  let isOver = false;
  let failures = 0;
  t.after(async () => {
    isOver = true;
    ours.stop();
    await Promise.all([all.stop(), chosen.stop()]);
    own.close();
    await relay.stop();
    await server.stop();
  });

  for (const informer of [all, chosen]) {
    // As its documentation says: who is told of an error starts it again.
    informer.on("error", () => {
      failures += 1;
      if (!isOver) setTimeout(() => void informer.start(), 20);
    });
    await informer.start();
  }
  await ours.synced;

  for (let turn = 0; turn < cuts; turn += 1) {
    await change(writer, keys);
    if (turn % 8 !== 7) {
      relay.cut();
      continue;
    }
    // Away for so long that what was missed is not kept: 410, and everything is listed anew.
    relay.close();
    await change(writer, keys);
    await change(writer, keys);
    clock.advance(longAgo);
    relay.open();
  }

  // Whoever has seen the last change has seen all before it.
  const last = { metadata: { name: "last", namespace: "ns-0", labels: { chosen: "yes" } } };
  await writer.create("ConfigMap", last);
  await Promise.all([until(all), until(chosen), untilOurs()]);
  assert.ok(failures > 0, "the cuts were felt");
  assert.ok(lists > 2, "who was away for long listed anew");
  const contents = (items: readonly (V1ConfigMap | ConfigMap)[]) => items.map((item) => contentOf(item)).sort();
  const fresh = contents((await list()).items);
  assert.ok(fresh.length > objects / 2);
  assert.deepEqual(contents(all.list()), fresh);
  assert.deepEqual(contents(ours.list()), fresh);
  const selected = contents((await list(labelSelector)).items);
  assert.ok(selected.length > 0 && selected.length < fresh.length);
  assert.deepEqual(contents(chosen.list()), selected);
  t.diagnostic(`${fresh.length} objects, ${failures} failures told, ${lists} lists by two informers`);

  function untilOurs(): Promise<void> {
    return new Promise((resolve) => {
      ours.onChange(({ after }) => after?.metadata.name === "last" && resolve());
    });
  }
});

function until(informer: Informer<V1ConfigMap> & ObjectCache<V1ConfigMap>): Promise<void> {
  return new Promise((resolve) => {
    informer.on("add", ({ metadata }) => metadata?.name === "last" && resolve());
    if (informer.get("last", "ns-0") !== undefined) resolve();
  });
}

/** What two copies of an object must agree on, as a text that sorts. */
function contentOf({ metadata, data }: V1ConfigMap | ConfigMap): string {
  const { namespace, name, resourceVersion, uid, labels } = metadata ?? {};
  return JSON.stringify([namespace, name, resourceVersion, uid, labels, data]);
}

async function fill(writer: Client): Promise<string[]> {
  for (const name of namespaces) await writer.create("Namespace", { metadata: { name } });
  const keys = Array.from({ length: objects }, (_, index) => `${namespaces[index % namespaces.length]}/cm-${index}`);
  await Promise.all(keys.map((key) => create(writer, key)));
  return keys;
}

const pick = <T>(list: readonly T[]) => list[Math.floor(Math.random() * list.length)] as T;
const keyOf = (key: string) => ({ namespace: key.slice(0, key.indexOf("/")), name: key.slice(key.indexOf("/") + 1) });
const labels = () => ({ chosen: pick(["yes", "no"]) });

async function create(writer: Client, key: string): Promise<void> {
  await writer.create("ConfigMap", { metadata: { ...keyOf(key), labels: labels() }, data: { text: "x".repeat(200) } });
}

/** Some objects get another content or other labels, some go, and some of those that went come back. */
async function change(writer: Client, keys: readonly string[]): Promise<void> {
  for (let count = 0; count < changes; count += 1) {
    const key = pick(keys);
    const found = await writer.get("ConfigMap", keyOf(key));
    if (found === undefined) await create(writer, key);
    else if (Math.random() < 0.3) await writer.delete("ConfigMap", keyOf(key));
    else
      await writer.patch("ConfigMap", keyOf(key), { metadata: { labels: labels() }, data: { count: String(count) } });
    // The clients of this process read meanwhile.
    if (count % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}
