import assert from "node:assert/strict";
import { once } from "node:events";
import type { ClientRequest, IncomingMessage } from "node:http";
import { test } from "node:test";
import { ask, byToken, letDoAll, ordinary, start, startTestServer } from "../../fakes/api-server.ts";

test("bodies take so much memory together and no more; what is over is given back", async (t) => {
  const limits = { bodyBytes: 1_000_000 };
  const server = await startTestServer({ limits, tokens: [ordinary] });
  t.after(() => server.stop());
  await letDoAll(server);
  await ask(server, "/api/v1/namespaces", { method: "POST", body: '{"metadata":{"name":"n"}}' });
  const path = "/api/v1/namespaces/n/configmaps";
  const post = (name: string, size: number, proof = byToken(ordinary.token)) => {
    const body = JSON.stringify({ metadata: { name }, data: { text: "x".repeat(size) } });
    return ask(server, path, { ...proof, method: "POST", body });
  };
  const codeOf = async (...args: Parameters<typeof post>) => (await post(...args)).code;

  /** Sends so much of a body, and waits. */
  async function begin(size: number): Promise<ClientRequest> {
    const { headers = {}, who } = byToken(ordinary.token);
    const request = start(server, path, { method: "POST", headers: { ...headers, Expect: "100-continue" } }, who);
    request.on("error", () => {});
    request.flushHeaders();
    await once(request, "continue");
    await new Promise((resolve) => request.write(`{"data":{"text":"${"x".repeat(size)}`, resolve));
    return request;
  }

  assert.equal(await codeOf("a", 900_000), 201);
  assert.equal(await codeOf("b", 900_000), 201, "the first has given its part back");
  const waiting = [await begin(400_000), await begin(400_000)];
  // What has been sent is read in the server's own time.
  while ((await codeOf("c", 500_000)) !== 429) await ask(server, `${path}/c`, { method: "DELETE" });
  const { reason, message } = JSON.parse((await post("c", 500_000)).body.toString());
  assert.deepEqual([reason, message], ["TooManyRequests", "Too many requests, please try again later."]);
  assert.equal(await codeOf("d", 1000), 201, "what is small finds room");
  assert.equal(await codeOf("e", 900_000, {}), 201, "an administrator is exempt");
  const [first, second] = waiting;
  first?.destroy();
  second?.end('"},"metadata":{"name":"f"}}');
  const [answer] = (await once(second as ClientRequest, "response")) as [IncomingMessage];
  assert.equal(answer.statusCode, 201);
  answer.resume();
  while ((await codeOf("c", 900_000)) === 429);
});
