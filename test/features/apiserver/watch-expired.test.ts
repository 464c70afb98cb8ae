import assert from "node:assert/strict";
import { test } from "node:test";
import { manualClock } from "../../fakes/clock.ts";
import { ask, openWatch, startTestServer } from "../../fakes/api-server.ts";

const admin = { name: "test", groups: ["system:masters"] };

test("a watch from a revision that is no longer kept is told 410 in the stream; a list of it 410 as a Status", async (t) => {
  const clock = manualClock();
  const server = await startTestServer({ clock });
  t.after(() => server.stop());
  const client = server.localClient(admin);
  const { metadata } = await client.create("Namespace", { metadata: { name: "n" } });
  for (let turn = 0; turn < 150; turn += 1) {
    await client.patch("Namespace", { name: "n" }, { metadata: { annotations: { turn: String(turn) } } });
  }
  const first = metadata.resourceVersion;
  const page = await ask(server, "/api/v1/namespaces?limit=1");
  assert.equal(page.code, 200);

  // Young history is kept, old history but the last hundred changes is not.
  const young = await openWatch(server, `/api/v1/namespaces?watch=1&resourceVersion=${first}`);
  assert.equal((await young.until(150))[0]?.type, "MODIFIED");
  young.stop();
  clock.advance(6 * 60_000);
  const old = await openWatch(server, `/api/v1/namespaces?watch=1&resourceVersion=${first}`);
  assert.equal(old.response.statusCode, 200);
  const [event] = await old.until(1);
  assert.equal(event?.type, "ERROR");
  assert.equal(event?.object["code"], 410);
  assert.equal(event?.object["reason"], "Expired");
  assert.match(String(event?.object["message"]), new RegExp(`^too old resource version: ${first} \\(\\d+\\)$`));
  await old.ended;

  const exact = await ask(server, `/api/v1/namespaces?resourceVersion=${first}&resourceVersionMatch=Exact`);
  assert.equal(exact.code, 410);
  const token = Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: Number(first), start: "a\0" })).toString(
    "base64url",
  );
  const gone = JSON.parse((await ask(server, `/api/v1/namespaces?limit=1&continue=${token}`)).body.toString());
  assert.equal(gone.reason, "Expired");
  const rest = await ask(server, `/api/v1/namespaces?limit=1&continue=${gone.metadata.continue}`);
  assert.equal(JSON.parse(rest.body.toString()).items[0].metadata.name, "n");
});
