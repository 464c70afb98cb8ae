import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openSqliteStore } from "#store/drivers/sqlite.ts";
import { openWatch, startTestServer } from "../../fakes/api-server.ts";

const admin = { name: "test", groups: ["system:masters"] };

test("after a restart objects are as they were, revisions go on, and a watch resumes where it was", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-restart-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "state.db");

  const firstStore = await openSqliteStore(path);
  const first = await startTestServer({ store: firstStore });
  const before = first.localClient(admin);
  const made = await before.create("Namespace", { metadata: { name: "n", labels: { a: "b" } } });
  await before.create("ConfigMap", { metadata: { name: "a", namespace: "n" }, data: { k: "v" } });
  await before.delete("ConfigMap", { namespace: "n", name: "a" });
  const last = await before.create("Secret", { metadata: { name: "s", namespace: "n" } });
  await first.stop();
  await firstStore.close();

  const secondStore = await openSqliteStore(path);
  const second = await startTestServer({ store: secondStore });
  t.after(async () => {
    await second.stop();
    await secondStore.close();
  });
  const after = second.localClient(admin);
  assert.deepEqual(await after.get("Namespace", { name: "n" }), made);
  assert.deepEqual(await after.get("Secret", { namespace: "n", name: "s" }), last);
  const resumed = await openWatch(
    second,
    `/api/v1/configmaps?watch=1&resourceVersion=${made.metadata.resourceVersion}`,
  );
  const next = await after.create("ConfigMap", { metadata: { name: "b", namespace: "n" } });
  assert.ok(Number(next.metadata.resourceVersion) > Number(last.metadata.resourceVersion));
  assert.deepEqual(
    (await resumed.until(3)).map(({ type, object }) => `${type} ${object.metadata.name}`),
    ["ADDED a", "DELETED a", "ADDED b"],
  );
  resumed.stop();
});
