import assert from "node:assert/strict";
import { test } from "node:test";
import type { Admission } from "#api/admission.ts";
import { ask, openWatch, startTestServer } from "../../fakes/api-server.ts";

test("more requests at once than the server takes are told to come again; open watches do not count", async (t) => {
  const waiting: string[] = [];
  let arrived = () => {};
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const stuck: Admission = {
    name: "stuck",
    kinds: ["Namespace"],
    async admit({ object }) {
      waiting.push(object.metadata.name);
      arrived();
      await released;
    },
  };
  const server = await startTestServer({ admissions: [stuck], maxInFlight: 3 });
  t.after(() => server.stop());
  const watches = await Promise.all([1, 2, 3, 4].map(() => openWatch(server, "/api/v1/services?watch=1")));
  const creates = ["a", "b", "c"].map((name) =>
    ask(server, "/api/v1/namespaces", { method: "POST", body: JSON.stringify({ metadata: { name } }) }),
  );
  while (waiting.length < 3) await new Promise<void>((resolve) => (arrived = resolve));
  const refused = await ask(server, "/api/v1/services");
  assert.equal(refused.code, 429);
  assert.equal(refused.headers["retry-after"], "1");
  assert.equal(JSON.parse(refused.body.toString()).reason, "TooManyRequests");
  release();
  assert.deepEqual(
    (await Promise.all(creates)).map(({ code }) => code),
    [201, 201, 201],
  );
  assert.equal((await ask(server, "/api/v1/services")).code, 200);
  for (const watch of watches) watch.stop();
});
