import assert from "node:assert/strict";
import { test } from "node:test";
import type { RemoteClient } from "#client/remote.ts";
import { openEtcdStore } from "#store/drivers/etcd.ts";
import { connectedClient, startTestServer } from "../../fakes/api-server.ts";
import { startEtcd, whyNoEtcd } from "../../fakes/etcd.ts";
import { assertNoGap, assertNothingLost, historyOf, prepareLoad, show, startFollower, startLoad } from "./load.ts";

/** One API server with a store connection of its own, and a client of it by HTTP. */
interface Site {
  client: RemoteClient;
  stop(): Promise<void>;
}

/** Writes between two faults. */
const between = 120;

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
    const begin = await prepareLoad(sites[0].client);
    const now = [0, 1].map((site) => () => sites[site as 0 | 1].client);
    const followers = [...now, ...now].map((client) => startFollower(client, begin));
    const load = startLoad([...now, ...now]);

    await load.more(between);
    await etcd.kill();
    await etcd.start();
    await load.more(between);
    await sites[1].stop();
    sites[1] = await startSite(etcd.url);
    clients.push(sites[1].client);
    await load.more(between);
    await etcd.kill();
    await etcd.start();
    await load.more(between);
    await load.stop();
    assert.ok(load.told.unknown > 0, "the faults were felt");

    // Both servers show the same, and it is what was acknowledged.
    const shown = await Promise.all(sites.map(({ client }) => show(client)));
    assert.deepEqual(shown[0]?.items, shown[1]?.items);
    for (const each of shown) assertNothingLost(each, load.told);

    // etcd itself is the witness: each watcher was told its history, all of it, once, in order.
    const store = await openEtcdStore({ servers: [etcd.url] });
    t.after(() => store.close());
    const history = await historyOf(store, begin - 1);
    assert.ok(history.length > load.told.created.size + load.told.deleted.size * 2);
    for (const follower of followers) {
      await follower.reached(Number(history.at(-1)?.split(" ")[0]));
      follower.stop();
      assertNoGap(follower, history);
      assert.equal(follower.stretches.length, 1, "a watch had a gap");
    }
    t.diagnostic(`${load.told.total} acknowledged, ${load.told.unknown} failed, ${history.length} events`);
  },
);
