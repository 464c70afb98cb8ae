import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openSqliteStore } from "#store/drivers/sqlite.ts";
import {
  assertNoGap,
  assertNothingLost,
  historyOf,
  prepareLoad,
  show,
  startFollower,
  startLoad,
  type Told,
} from "./load.ts";
import { createServerProcess, makeFolder } from "../../fakes/server-process.ts";

// The long form: `KILLS=100 npm run test:e2e -- sqlite-killed`.
const kills = Number(process.env["KILLS"] ?? 10);

test(`an API server on SQLite that is killed ${kills} times loses no acknowledged write and no event`, async (t) => {
  const folder = await makeFolder();
  const file = join(folder.directory, "state.db");
  const server = createServerProcess({ directory: folder.directory, store: { file } }, folder.certificates);
  t.after(() => server.dispose().finally(() => folder.remove()));
  await server.start();
  const begin = await prepareLoad(server.client());
  const followers = [1, 2].map(() => startFollower(server.client, begin));
  const sleeper = startFollower(server.client, begin);
  const load = startLoad([1, 2, 3, 4].map(() => server.client));
  const everybody = [...followers, sleeper];
  t.after(async () => {
    for (const follower of everybody) follower.stop();
    await load.stop().catch(() => {});
  });

  const history: Told[] = [];
  let newest = begin - 1;
  /** What the file holds while nobody has it open. Afterwards it keeps only what came since the death before. */
  const inspect = async () => {
    checkWhole(file);
    const store = await openSqliteStore(file);
    history.push(...(await historyOf(store, newest)));
    await store.compact(newest);
    const revision = await store.revision();
    assert.ok(revision >= newest, `revision ${revision} after ${newest}`);
    newest = revision;
    await store.close();
  };

  for (let death = 1; death <= kills; death += 1) {
    if (death % 4 === 2) sleeper.sleep();
    if (death % 4 === 0) sleeper.wakeUp();
    await load.more(1 + Math.floor(Math.random() * 60));
    await moment();
    await server.kill();
    await inspect();
    // Whatever it is at when it is killed while it starts, what it has read stays.
    if (death % 5 === 3) {
      await server.startAndKill(Math.random() * 400);
      await inspect();
    }
    await server.start();
    const { revision } = await show(server.client());
    assert.ok(revision >= newest, `a list at ${revision} after ${newest}`);
  }
  await load.stop();
  if (kills % 4 === 2 || kills % 4 === 3) sleeper.wakeUp();

  const shown = await show(server.client());
  assertNothingLost(shown, load.told);
  assert.ok(load.told.unknown > 0, "the deaths were felt");
  for (const follower of everybody) await follower.reached(Math.max(...shown.items.values()));
  await server.kill();
  await inspect();
  for (const follower of everybody) assertNoGap(follower, history);
  assert.ok(sleeper.stretches.length > 1, "who slept too long was told 410");
  const stretches = everybody.map((follower) => follower.stretches.length).join(" ");
  t.diagnostic(
    `${load.told.total} acknowledged, ${load.told.unknown} unknown, ${history.length} events, in stretches ${stretches}`,
  );
});

/** Some time in the next milliseconds. */
function moment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
}

function checkWhole(file: string): void {
  const database = new DatabaseSync(file);
  try {
    assert.deepEqual(Object.values(database.prepare("PRAGMA integrity_check").get() ?? {}), ["ok"]);
  } finally {
    database.close();
  }
}
