import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../fakes/api-server.ts";

test("a watcher that throws is told of its end; the write and the other watchers are not touched", async (t) => {
  const server = await startTestServer();
  t.after(() => server.stop());
  const client = server.localClient({ name: "test", groups: ["system:masters"] });
  const { resourceVersion: since } = await client.list("Namespace");
  const ends: string[] = [];
  const seen: string[] = [];
  client.watch(
    "Namespace",
    { since },
    {
      event() {
        throw new Error("boom");
      },
      end(end) {
        ends.push(end.reason === "failed" ? end.error.message : end.reason);
        throw new Error("boom again");
      },
    },
  );
  client.watch("Namespace", { since }, { event: ({ object }) => void seen.push(object.metadata.name), end() {} });
  await client.create("Namespace", { metadata: { name: "a" } });
  await client.create("Namespace", { metadata: { name: "b" } });
  assert.deepEqual(seen, ["a", "b"]);
  assert.deepEqual(ends, ["a watch of Namespace failed: Error: boom"]);
});
