import assert from "node:assert/strict";
import { test } from "node:test";
import { isApiError } from "#api/meta/status.ts";
import { connectedClient, startTestServer } from "../../fakes/api-server.ts";

const key = { namespace: "n", name: "a" };

test("patches of many writers at once all land; of many updates by one revision one does", async (t) => {
  const server = await startTestServer();
  const client = connectedClient(server);
  t.after(() => server.stop());
  t.after(() => client.close());
  await client.create("Namespace", { metadata: { name: "n" } });
  await client.create("ConfigMap", { metadata: key });
  const names = Array.from({ length: 30 }, (_, index) => `k${index}`);
  await Promise.all(names.map((name) => client.patch("ConfigMap", key, { data: { [name]: name } })));
  const patched = await client.get("ConfigMap", key);
  assert.deepEqual(Object.keys(patched?.data ?? {}).sort(), [...names].sort());

  assert.ok(patched);
  const updates = names.map((name) =>
    client.update("ConfigMap", { ...patched, data: { winner: name } }).then(
      () => true,
      (error: unknown) => !isApiError(error, "Conflict") && assert.fail(String(error)),
    ),
  );
  assert.equal((await Promise.all(updates)).filter(Boolean).length, 1);

  const creates = names.map(() =>
    client.create("Secret", { metadata: { namespace: "n", name: "one" } }).then(
      () => true,
      (error: unknown) => !isApiError(error, "AlreadyExists") && assert.fail(String(error)),
    ),
  );
  assert.equal((await Promise.all(creates)).filter(Boolean).length, 1);
});
