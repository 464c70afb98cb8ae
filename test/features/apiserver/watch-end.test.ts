import assert from "node:assert/strict";
import { test } from "node:test";
import { manualClock } from "../../fakes/clock.ts";
import { openWatch, startTestServer } from "../../fakes/api-server.ts";

test("a watch gets a bookmark each minute when it asked for them, and ends at its time or with the server", async (t) => {
  const clock = manualClock();
  const server = await startTestServer({ clock });
  t.after(() => server.stop());
  const asked = await openWatch(server, "/api/v1/services?watch=1&allowWatchBookmarks=true&timeoutSeconds=90");
  const silent = await openWatch(server, "/api/v1/services?watch=1&timeoutSeconds=90");
  clock.advance(60_000);
  const [mark] = await asked.until(1);
  assert.equal(mark?.type, "BOOKMARK");
  assert.equal(mark?.object.kind, "Service");
  assert.equal(mark?.object.metadata.resourceVersion, String(server.registry.revision()));
  clock.advance(31_000);
  await asked.ended;
  await silent.ended;
  assert.equal(silent.response.complete, true);
  await assert.rejects(silent.until(1), /ended after 0/);

  const open = await openWatch(server, "/api/v1/services?watch=1");
  await server.stop();
  await open.ended;
  assert.equal(open.response.complete, true);
});
