import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startEcho, startEntry } from "./entry.ts";

test("curl with a cookie jar stays with one endpoint, over two worker threads", async (t) => {
  const ports = await Promise.all(["a", "b", "c"].map((name) => startEcho(t, name)));
  const annotations = { affinity: "cookie", "session-cookie-name": "route", "session-cookie-max-age": "60" };
  const entry = await startEntry(t, ports, { annotations });
  const dir = mkdtempSync(join(tmpdir(), "fairlead-e2e-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const jar = ["-c", join(dir, "jar"), "-b", join(dir, "jar")];
  const homes = new Set<string>();
  for (let count = 0; count < 10; count += 1) homes.add((await entry.curl("/", ...jar)).body.slice(0, 1));
  assert.equal(homes.size, 1);
  const first = await entry.curl("/");
  assert.match(first.head, /^Set-Cookie: route=[0-9a-f]{32}\|[0-9a-f]{32}; Max-Age=60; Path=\/; HttpOnly\r?$/m);
});

test("curl goes to the same endpoint for the same path", async (t) => {
  const ports = await Promise.all(["a", "b", "c"].map((name) => startEcho(t, name)));
  const entry = await startEntry(t, ports, { annotations: { "upstream-hash-by": "$request_uri" } });
  for (const path of ["/1", "/2", "/3", "/4"]) {
    const homes = new Set<string>();
    for (let count = 0; count < 5; count += 1) homes.add((await entry.curl(path)).body.slice(0, 1));
    assert.equal(homes.size, 1, path);
  }
});
