import assert from "node:assert/strict";
import { test } from "node:test";
import { openWatch, start, startTestServer } from "../../fakes/api-server.ts";

const admin = { name: "test", groups: ["system:masters"] };

test("a watcher that does not read is dropped; writers and other watchers do not wait for it", async (t) => {
  const server = await startTestServer();
  t.after(() => server.stop());
  const client = server.localClient(admin);
  await client.create("Namespace", { metadata: { name: "n" } });
  await client.create("ConfigMap", { metadata: { name: "big", namespace: "n" } });
  const path = `/api/v1/configmaps?watch=1&resourceVersion=${server.registry.revision()}`;
  const reader = await openWatch(server, path);
  const sleeper = start(server, path, {});
  const dropped = new Promise<void>((resolve) => {
    sleeper.on("response", (response) => {
      // Never read: what the kernel does not hold piles up in the server.
      response.pause();
      response.on("close", resolve);
      response.socket.on("close", resolve);
      response.socket.pause();
    });
    sleeper.on("error", () => resolve());
  });
  sleeper.end();
  await new Promise((resolve) => sleeper.once("response", resolve));

  const changes = 45;
  for (let turn = 0; turn < changes; turn += 1) {
    const data = { text: String(turn).padStart(900_000, "x") };
    await client.patch("ConfigMap", { namespace: "n", name: "big" }, { data });
    // One at a time, so that the reader keeps up: its events have all come.
    await reader.until(turn + 1);
  }
  sleeper.destroy();
  await dropped;
  assert.equal(server.openStreams(), 1, "only the reader's watch is still open");
  reader.stop();
});
