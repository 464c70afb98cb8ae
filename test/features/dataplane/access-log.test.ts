import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import type { Filter } from "#dataplane/table.ts";
import { startDataplane } from "#dataplane/workers.ts";
import { ask, backend, change, deadPort, dial, httpEndpoint, host, quick, route } from "./harness.ts";

const clock = { ...systemClock, now: () => Date.UTC(2026, 10, 20, 9, 8, 7) };

async function logged(t: TestContext, format: "line" | "json", filters: readonly Filter[] = []) {
  const dir = mkdtempSync(join(tmpdir(), "fairlead-log-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const path = join(dir, "access.log");
  const plane = await startDataplane({
    listeners: [{ host: "127.0.0.1", port: 0, tls: false }],
    workers: 0,
    log: silentLog,
    clock,
    limits: quick,
    accessLog: { path, format },
  });
  const endpoint = await httpEndpoint(t, (request, response) => {
    request.resume();
    request.on("end", () => response.writeHead(201).end("hello"));
  });
  const dead = await deadPort();
  const routes = [
    route("quiet", { match: { type: "exact", path: "/quiet" }, filters: [{ type: "quiet" }] }),
    route("dead", { match: { type: "exact", path: "/dead" }, backend: "dead" }),
    route("r", { filters }),
  ];
  const backends = [backend("dev/web:http", [endpoint]), backend("dead", [dead, endpoint])];
  const named = routes.map((entry) =>
    entry.id === "r" ? { ...entry, target: { type: "backend", backend: "dev/web:http" } as const } : entry,
  );
  await plane.apply(change({ hosts: [host("*", named)], backends }));
  const lines = async () => {
    await plane.stop({ drainMs: 0 });
    return readFileSync(path, "latin1").split("\n").slice(0, -1);
  };
  return { port: plane.addresses[0]?.port ?? 0, endpoint, dead, lines };
}

const basic = `Authorization: Basic ${btoa("ann:secret")}`;

test("a line is that of ingress-nginx", async (t) => {
  const { port, endpoint, lines } = await logged(t, "line");
  const fields = [basic, "User-Agent: curl/8", 'Referer: http://a/"x\\', "X-Request-ID: abc", "Content-Length: 0"];
  await ask(t, port, "POST /a?b=c", fields);
  const [line = ""] = await lines();
  const expected = [
    '127.0.0.1 - ann [20/Nov/2026:09:08:07 +0000] "POST /a?b=c HTTP/1.1" 201 5 "http://a/\\x22x\\x5C" "curl/8" LENGTH 0.0TT',
    `[dev-web-http] [] 127.0.0.1:${endpoint} 5 0.0TT 201 abc`,
  ].join(" ");
  assert.equal(line.replace(/ 0\.0\d\d /g, " 0.0TT ").replace(/" \d+ 0\.0/, '" LENGTH 0.0'), expected);
  assert.doesNotMatch(line, /secret/);
});

test("a request has one id, in the log and at the endpoint", async (t) => {
  const { port, lines } = await logged(t, "line");
  await ask(t, port, "GET /");
  assert.match((await lines())[0] ?? "", / [0-9a-f]{32}$/);
});

test("answers of the proxy, tries, and clients that leave are told as they were", async (t) => {
  const { port, endpoint, dead, lines } = await logged(t, "json", [
    { type: "source-ranges", allow: ["10.0.0.0/8"], deny: [] },
  ]);
  await ask(t, port, "GET /refused");
  await ask(t, port, "GET /dead");
  await ask(t, port, "GET /quiet");
  const told = (await lines()).map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(told.length, 2);
  const [refused, tried] = told;
  assert.equal(refused?.["status"], 403);
  assert.equal(refused?.["upstream_addr"], "");
  assert.ok(Number(refused?.["body_bytes_sent"]) > 50);
  assert.equal(tried?.["status"], 201);
  assert.equal(tried?.["upstream_addr"], `127.0.0.1:${dead}, 127.0.0.1:${endpoint}`);
  assert.equal(tried?.["route"], "dead");
});

test("no byte of a request can begin a line or end a text", async (t) => {
  const { port, lines } = await logged(t, "line");
  await ask(t, port, "GET /%0a\"'\xff", ['User-Agent: a\tb\xe9"', "Referer: x"]);
  const client = await dial(t, port);
  client.send("GARBAGE\r\n\r\n");
  await client.end();
  const all = await lines();
  assert.equal(all.length, 1);
  assert.match(all[0] ?? "", /"GET \/%0a\\x22'\\xFF HTTP\/1\.1" .* "a\\x09b\\xE9\\x22" /);
});

test("json escapes what is not ASCII", async (t) => {
  const { port, lines } = await logged(t, "json");
  await ask(t, port, "GET /", ['User-Agent: "\xe9']);
  const [line = ""] = await lines();
  // oxlint-disable-next-line no-control-regex
  assert.match(line, /^[\x20-\x7e]+$/);
  assert.equal((JSON.parse(line) as Record<string, unknown>)["http_user_agent"], '"\xe9');
});
