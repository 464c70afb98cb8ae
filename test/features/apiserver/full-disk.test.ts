import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isApiError } from "#api/meta/status.ts";
import { openSqliteStore } from "#store/drivers/sqlite.ts";
import { connectedClient, startTestServer } from "../../fakes/api-server.ts";

test("a write the disk has no room for fails with the reason, and the server goes on", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-full-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const store = await openSqliteStore(join(directory, "state.db"), { limitBytes: 200_000 });
  const server = await startTestServer({ store });
  const client = connectedClient(server);
  t.after(async () => {
    client.close();
    await server.stop();
    await store.close();
  });
  await client.create("Namespace", { metadata: { name: "n" } });
  const big = { metadata: { namespace: "n", name: "big" }, data: { k: "x".repeat(500_000) } };
  await assert.rejects(
    client.create("ConfigMap", big),
    (error) => isApiError(error, "InternalError") && /no space left, the change was not made/.test(error.message),
  );
  assert.equal(await client.get("ConfigMap", big.metadata), undefined);
  await client.create("ConfigMap", { ...big, data: { k: "x" } });
});
