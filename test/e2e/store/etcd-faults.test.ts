import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConfigMap } from "#api/core/configmap/kind.ts";
import { isApiError } from "#api/meta/status.ts";
import { delay, systemClock } from "#base/clock.ts";
import type { RemoteClient } from "#client/remote.ts";
import { openEtcdStore } from "#store/drivers/etcd.ts";
import { connectedClient, startTestServer } from "../../fakes/api-server.ts";
import { startEtcd, whyNoEtcd } from "../../fakes/etcd.ts";

/** One API server with a store connection of its own, and a client of it by HTTP. */
interface Site {
  client: RemoteClient;
  stop(): Promise<void>;
}

/** What a writer was told. */
interface Acknowledged {
  /** Not deleted since, by revision. */
  readonly created: Map<string, number>;
  readonly deleted: Set<string>;
  increments: number;
  /** Requests whose outcome the writer was not told. */
  unknown: number;
  total: number;
}

const perWriter = 120;
const namespace = "n";

async function startSite(url: string): Promise<Site> {
  const store = await openEtcdStore({ servers: [url] });
  const server = await startTestServer({ store });
  const client = connectedClient(server);
  return {
    client,
    async stop() {
      await server.stop();
      await store.close();
    },
  };
}

test(
  "two API servers on one etcd lose no acknowledged write and no event, while etcd is killed and a server restarted",
  { skip: whyNoEtcd() },
  async (t) => {
    const etcd = await startEtcd();
    t.after(() => etcd.dispose());
    const sites: [Site, Site] = await Promise.all([startSite(etcd.url), startSite(etcd.url)]);
    const clients = sites.map(({ client }) => client);
    t.after(async () => {
      for (const client of clients) client.close();
      await Promise.all(sites.map((site) => site.stop()));
    });
    await sites[0].client.create("Namespace", { metadata: { name: namespace } });
    const counter = { metadata: { name: "counter", namespace }, data: { value: "0" } };
    const first = await sites[1].client.create("ConfigMap", counter);
    const begin = Number(first.metadata.resourceVersion);

    const watchers = [0, 0, 1, 1].map((site) => follow(() => sites[site as 0 | 1].client, begin));
    const told: Acknowledged = { created: new Map(), deleted: new Set(), increments: 0, unknown: 0, total: 0 };
    const writers = [0, 1, 0, 1].map((site, index) => write(() => sites[site as 0 | 1].client, index, told));
    const whole = perWriter * writers.length;

    await until(() => told.total > whole / 4);
    await etcd.kill();
    await etcd.start();
    await until(() => told.total > whole / 2);
    await sites[1].stop();
    sites[1] = await startSite(etcd.url);
    clients.push(sites[1].client);
    await until(() => told.total > (whole * 3) / 4);
    await etcd.kill();
    await etcd.start();
    await Promise.all(writers);
    assert.ok(told.unknown > 0, "the faults were felt");

    // Both servers show the same, and it is what was acknowledged.
    const lists = await Promise.all(sites.map(({ client }) => client.list("ConfigMap", { namespace })));
    const shown = lists.map(({ items }) =>
      items.map(({ metadata: { name, resourceVersion } }) => [name, resourceVersion]),
    );
    assert.deepEqual(shown[0], shown[1]);
    const names = new Map(shown[0] as [string, string][]);
    for (const [name, revision] of told.created) {
      assert.equal(names.get(name), String(revision), `the acknowledged ConfigMap ${name}`);
    }
    for (const name of told.deleted) assert.equal(names.get(name), undefined, `the deleted ConfigMap ${name}`);
    const count = Number(lists[0]?.items.find(({ metadata }) => metadata.name === "counter")?.data?.["value"]);
    assert.ok(count >= told.increments, `${count} of ${told.increments} acknowledged increments`);
    assert.ok(count <= told.increments + told.unknown, `${count} increments, ${told.increments} acknowledged`);

    // etcd itself is the witness: each watcher was told its history, all of it, once, in order.
    const end = Math.max(...lists.map(({ resourceVersion }) => Number(resourceVersion)));
    const history = await historyOf(etcd.url, begin, end);
    assert.ok(history.length > told.created.size + told.deleted.size * 2);
    for (const watcher of watchers) {
      await watcher.reached(Number(history.at(-1)?.split(" ")[0]));
      watcher.stop();
      assert.deepEqual(watcher.events, history);
    }
    t.diagnostic(
      `${told.total} acknowledged, ${told.unknown} failed, ${history.length} events, resumed ${watchers.map(({ resumed }) => resumed()).join(" ")}`,
    );
  },
);

/** Creates, counts and deletes until `perWriter` of its requests were acknowledged. */
async function write(client: () => RemoteClient, index: number, told: Acknowledged): Promise<void> {
  let newest = 0;
  const acknowledge = (revision: string | undefined) => {
    told.total += 1;
    // One writer's answers never go back, whichever server and whatever happened to it.
    assert.ok(Number(revision) > newest, `revision ${revision} after ${newest}`);
    newest = Number(revision);
    return newest;
  };
  let done = 0;
  for (let turn = 0; done < perWriter; turn += 1) {
    const name = `w${index}-${turn}`;
    try {
      const made = await client().create("ConfigMap", { metadata: { name, namespace }, data: { turn: String(turn) } });
      told.created.set(name, acknowledge(made.metadata.resourceVersion));
      done += 1;
      // Read your write, by whichever server.
      const read = await client().get("ConfigMap", { name, namespace });
      assert.equal(read?.metadata.resourceVersion, made.metadata.resourceVersion);
      acknowledge((await increment(client())).metadata.resourceVersion);
      told.increments += 1;
      done += 1;
      if (turn % 3 !== 0) continue;
      // Until it is acknowledged, it may or may not have happened.
      told.created.delete(name);
      await client().delete("ConfigMap", { name, namespace });
      told.deleted.add(name);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      assert.ok(!isApiError(error, "AlreadyExists", "NotFound", "Expired"), String(error));
      told.unknown += 1;
      await delay(systemClock, 20);
    }
  }
}

async function increment(client: RemoteClient): Promise<ConfigMap> {
  for (;;) {
    const before = await client.get("ConfigMap", { name: "counter", namespace });
    assert.ok(before !== undefined);
    try {
      const data = { value: String(Number(before.data?.["value"]) + 1) };
      return await client.update("ConfigMap", { ...before, data });
    } catch (error) {
      if (!isApiError(error, "Conflict")) throw error;
    }
  }
}

/** Watches the ConfigMaps and resumes from the last revision it was told when a stream ends. */
function follow(client: () => RemoteClient, since: number) {
  const events: string[] = [];
  let last = since;
  let resumed = 0;
  let over = false;
  let stop = () => {};
  let wake = () => {};
  const open = () => {
    stop = client().watch(
      "ConfigMap",
      { namespace, since: String(last) },
      {
        event({ type, object: { metadata } }) {
          last = Number(metadata.resourceVersion);
          events.push(`${last} ${type} ${metadata.name}`);
          wake();
        },
        end({ reason }) {
          if (over) return;
          assert.notEqual(reason, "expired", "a watch has a gap");
          resumed += 1;
          systemClock.after(20, open);
        },
      },
    );
  };
  open();
  return {
    events,
    resumed: () => resumed,
    stop() {
      over = true;
      stop();
    },
    async reached(revision: number) {
      while (last < revision) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

/** The changes of ConfigMaps as etcd tells them. */
async function historyOf(url: string, since: number, until: number): Promise<string[]> {
  const store = await openEtcdStore({ servers: [url] });
  const prefix = `/registry/configmaps/${namespace}/`;
  const history: string[] = [];
  const told = new Promise<void>((resolve, reject) => {
    store.watch(prefix, since, {
      event({ type, key, revision, previous }) {
        const word = type === "delete" ? "DELETED" : previous === undefined ? "ADDED" : "MODIFIED";
        history.push(`${revision} ${word} ${key.slice(prefix.length)}`);
      },
      progress: (revision) => revision >= until && resolve(),
      end: (reason, error) => reject(error ?? new Error(reason)),
    });
  });
  await told;
  await store.close();
  return history;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(systemClock, 5);
}
