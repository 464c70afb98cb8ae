import assert from "node:assert/strict";
import { test } from "node:test";
import { execFileSync } from "node:child_process";
import type { Secret } from "#api/core/secret/kind.ts";
import { startEcho, startEntry } from "./entry.ts";

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
