import assert from "node:assert/strict";
import { test } from "node:test";
import { execFileSync } from "node:child_process";
import type { Secret } from "#api/core/secret/kind.ts";
import { startEcho, startEndpoint, startEntry } from "./entry.ts";

test("source ranges let curl in or answer 403", async (t) => {
  const endpoint = await startEcho(t);
  const open = await startEntry(t, [endpoint], { annotations: { "whitelist-source-range": "127.0.0.0/8" } });
  assert.equal((await open.curl("/")).status, 200);
  const closed = await startEntry(t, [endpoint], { annotations: { "denylist-source-range": "127.0.0.1" } });
  const { status, body } = await closed.curl("/", "-H", "X-Forwarded-For: 10.0.0.1");
  assert.equal(status, 403);
  assert.match(body, /403 Forbidden/);
});

test("curl signs in with a password that openssl stored, and a new password counts at once", async (t) => {
  const stored = (password: string): Secret => {
    const hash = execFileSync("openssl", ["passwd", "-apr1", password], { encoding: "utf8" });
    const data = { auth: Buffer.from(`ann:${hash}`).toString("base64") };
    return { apiVersion: "v1", kind: "Secret", metadata: { namespace: "dev", name: "users" }, data };
  };
  const annotations = { "auth-type": "basic", "auth-secret": "users", "auth-realm": "Staff only" };
  const entry = await startEntry(t, [await startEcho(t)], { annotations, objects: [stored("one")] });
  const refused = await entry.curl("/");
  assert.equal(refused.status, 401);
  assert.match(refused.head, /^WWW-Authenticate: Basic realm="Staff only"\r?$/m);
  const right = await entry.curl("/", "-u", "ann:one");
  assert.equal(right.status, 200);
  assert.doesNotMatch(right.body, /authorization/);
  assert.equal((await entry.curl("/", "-u", "ann:two")).status, 401);
  const changed = await entry.client.update("Secret", stored("two"));
  await entry.ingress.waitFor(changed.metadata.resourceVersion ?? "");
  assert.equal((await entry.curl("/", "-u", "ann:one")).status, 401);
  assert.equal((await entry.curl("/", "-u", "ann:two")).status, 200);
});

test("an authenticator at another address decides about curl, and tells the endpoint who it is", async (t) => {
  execFileSync("ip", ["address", "replace", "10.99.7.1/32", "dev", "lo"]);
  const authenticator = await startEndpoint(
    t,
    (request, response) => {
      const isRight = request.headers["authorization"] === "Bearer right";
      response.writeHead(isRight ? 200 : 401, isRight ? { "X-User": "ann" } : {}).end();
    },
    "10.99.7.1",
  );
  const annotations = {
    "auth-url": `http://10.99.7.1:${authenticator}/verify?uri=$request_uri`,
    "auth-signin": "https://$host/login",
    "auth-response-headers": "X-User",
  };
  const entry = await startEntry(t, [await startEcho(t)], { annotations });
  const refused = await entry.curl("/a?b=c");
  assert.equal(refused.status, 302);
  assert.match(refused.head, /^Location: https:\/\/web.test\/login\?rd=http:\/\/web.test:\d+%2Fa%3Fb%3Dc\r?$/m);
  const right = await entry.curl("/a", "-H", "Authorization: Bearer right", "-H", "X-User: eve");
  assert.equal(right.status, 200);
  assert.match(right.body, /^x-user: ann$/m);
});

test("curl is limited over two worker threads, unless its address is exempt", async (t) => {
  const endpoint = await startEcho(t);
  const annotations = { "limit-rpm": "1", "limit-burst-multiplier": "4" };
  const limited = await startEntry(t, [endpoint], { annotations });
  const statuses: number[] = [];
  for (let count = 0; count < 8; count += 1) statuses.push((await limited.curl("/")).status);
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 503, 503, 503]);
  const free = await startEntry(t, [endpoint], { annotations: { ...annotations, "limit-whitelist": "127.0.0.1" } });
  for (let count = 0; count < 8; count += 1) assert.equal((await free.curl("/")).status, 200);
});
