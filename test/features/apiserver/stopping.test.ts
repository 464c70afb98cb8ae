import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { test } from "node:test";
import { startTestServer } from "../../fakes/api-server.ts";

test("a server that stops ends its watches, and who asks again on the same connection is told to go elsewhere", async () => {
  const server = await startTestServer();
  const { certificates, url } = server;
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: certificates.ca, ...certificates.admin });
  const watch = async () => {
    const asked = request(`${url}/api/v1/namespaces?watch=1`, { agent });
    asked.end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    response.resume();
    return response;
  };
  const first = await watch();
  // It waits for the one connection.
  const second = watch();
  const stopped = server.stop();
  await once(first, "end");
  const refused = await second;
  assert.equal(refused.statusCode, 503);
  assert.equal(refused.headers.connection, "close");
  await stopped;
  agent.destroy();
});
