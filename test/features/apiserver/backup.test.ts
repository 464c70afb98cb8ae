import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openSqliteStore } from "#store/drivers/sqlite.ts";
import { ask, nodeProof, startTestServer } from "../../fakes/api-server.ts";

test("the objects of a running server are handed out as one file, to administrators alone", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-api-backup-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const store = await openSqliteStore(join(directory, "state.db"));
  const server = await startTestServer({ store });
  t.after(async () => {
    await server.stop();
    await store.close();
  });
  const path = "/fairlead/backup";
  const { code, body } = await ask(server, path);
  assert.equal(code, 200);
  assert.equal(body.subarray(0, 15).toString(), "SQLite format 3");
  assert.equal((await ask(server, path, { who: nodeProof(server.certificates, "node-1") })).code, 403);
  assert.ok([401, 403].includes((await ask(server, path, { who: "nobody" })).code));
  assert.equal((await ask(server, path, { method: "POST" })).code, 404);
});

test("a store that has its own tools is not handed out", async (t) => {
  const server = await startTestServer();
  t.after(() => server.stop());
  assert.equal((await ask(server, "/fairlead/backup")).code, 404);
});
