import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryStore } from "#store/drivers/memory.ts";
import { ask, startTestServer, testCertificates } from "../../fakes/api-server.ts";
import { startApiServer } from "#apiserver/start.ts";

test("a further door opens while the server runs, and all of them close with it", async () => {
  const server = await startTestServer();
  const { port } = await server.addListener({ host: "127.0.0.1", port: 0 });
  assert.equal(server.addresses().length, 2);
  const second = { ...server, url: `https://127.0.0.1:${port}` };
  assert.equal((await ask(second, "/readyz", { who: "nobody" })).body.toString(), "ok");
  await server.stop();
  await assert.rejects(ask(server, "/readyz"), /ECONNREFUSED/);
  await assert.rejects(ask(second, "/readyz"), /ECONNREFUSED/);
});

test("an address that is taken is named, with what to do", async (t) => {
  const server = await startTestServer();
  t.after(() => server.stop());
  const listen = server.addresses();
  const store = createMemoryStore();
  const started = startApiServer({ store, certificates: await testCertificates(), listen });
  const expected = `127.0.0.1:${listen[0]?.port} is taken by another program: stop it, or choose another port`;
  await assert.rejects(started, { message: expected });
  await store.close();
});

test("while a request is being answered the server's stop waits for it", async () => {
  let release = () => {};
  let arrived = () => {};
  const reached = new Promise<void>((resolve) => (arrived = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  const slow = {
    name: "slow",
    kinds: ["Namespace"] as const,
    async admit() {
      arrived();
      await released;
    },
  };
  const server = await startTestServer({ admissions: [slow] });
  const answer = ask(server, "/api/v1/namespaces", { method: "POST", body: '{"metadata":{"name":"n"}}' });
  await reached;
  const stopped = server.stop();
  release();
  assert.equal((await answer).code, 201);
  await stopped;
});
