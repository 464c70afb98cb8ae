import assert from "node:assert/strict";
import { test } from "node:test";
import { isApiError } from "#api/meta/status.ts";
import type { WatchEnd } from "#client/contract.ts";
import { createRemoteClient } from "#client/remote.ts";
import { startTestServer } from "../../fakes/api-server.ts";

test("a token that is renewed on disk is used anew, and one that cannot be read is an error like any other", async (t) => {
  const user = { name: "robot", groups: ["system:masters"] };
  const server = await startTestServer({ tokens: [{ token: "second", user }] });
  t.after(() => server.stop());
  let token: string | undefined = "first";
  const tokenSource = () => token ?? assert.fail("no such file");
  const client = createRemoteClient({ server: server.url, ca: server.certificates.ca, tokenSource });
  t.after(() => client.close());

  await assert.rejects(client.list("Service"), (error) => isApiError(error, "Unauthorized"));
  token = "second";
  assert.deepEqual((await client.list("Service")).items, []);
  token = undefined;
  await assert.rejects(client.list("Service"), (error) => isApiError(error, "Unauthorized"));
  const end = await new Promise<WatchEnd>((resolve) => {
    client.watch("Service", { since: "0" }, { event: () => assert.fail("no event"), end: resolve });
  });
  assert.equal(end.reason === "failed" && end.error.reason, "Unauthorized");
});
