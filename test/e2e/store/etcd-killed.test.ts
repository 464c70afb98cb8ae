import assert from "node:assert/strict";
import { test } from "node:test";
import { openEtcdStore } from "#store/drivers/etcd.ts";
import { startEtcdMembers, whyNoEtcd } from "../../fakes/etcd.ts";
import { assertNoGap, assertNothingLost, historyOf, prepareLoad, show, startFollower, startLoad } from "./load.ts";
import { createServerProcess, makeFolder } from "../../fakes/server-process.ts";

// The long form: `KILLS=40 npm run test:e2e -- etcd-killed`.
const kills = Number(process.env["KILLS"] ?? 6);

test(
  `two API servers on an etcd of three lose no acknowledged write and no event in ${kills} deaths of members and servers`,
  { skip: whyNoEtcd() },
  async (t) => {
    const folder = await makeFolder();
    const members = await startEtcdMembers(3);
    const urls = members.map(({ url }) => url);
    const place = (etcd: readonly string[]) => ({ directory: folder.directory, store: { etcd } });
    const servers = [urls, [...urls].reverse()].map((etcd) => createServerProcess(place(etcd), folder.certificates));
    t.after(async () => {
      await Promise.all(servers.map((server) => server.dispose()));
      await Promise.all(members.map((member) => member.dispose()));
      folder.remove();
    });
    await Promise.all(servers.map((server) => server.start()));
    const clients = servers.map(({ client }) => client);
    const [first] = clients;
    assert.ok(first !== undefined);
    const begin = await prepareLoad(first());
    const followers = [...clients, ...clients].map((client) => startFollower(client, begin));
    const load = startLoad([...clients, ...clients]);
    t.after(async () => {
      for (const follower of followers) follower.stop();
      await load.stop().catch(() => {});
    });

    for (let death = 0; death < kills; death += 1) {
      await load.more(1 + Math.floor(Math.random() * 60));
      const member = members[death % 3];
      const server = servers[death % 2];
      assert.ok(member !== undefined && server !== undefined);
      // A member, a server, both at once, in turn; the others go on meanwhile.
      const victims = [[member], [server], [member, server]][death % 3] ?? [];
      await Promise.all(victims.map((victim) => victim.kill()));
      await load.more(10);
      await Promise.all(victims.map((victim) => victim.start()));
    }
    await load.stop();

    const store = await openEtcdStore({ servers: urls });
    t.after(() => store.close());
    const history = await historyOf(store, begin - 1);
    const end = Number(history.at(-1)?.split(" ")[0]);
    for (const client of clients) assertNothingLost(await show(client()), load.told);
    assert.ok(load.told.unknown > 0, "the deaths were felt");
    for (const follower of followers) {
      await follower.reached(end);
      assertNoGap(follower, history);
    }
    const stretches = followers.map((follower) => follower.stretches.length).join(" ");
    t.diagnostic(
      `${load.told.total} acknowledged, ${load.told.unknown} unknown, ${history.length} events, in stretches ${stretches}`,
    );
  },
);
