import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startEcho, startEndpoint, startEntry } from "./entry.ts";

test("curl sees cross-origin fields on answers and a preflight of 204", async (t) => {
  const annotations = { "enable-cors": "true", "cors-allow-origin": "https://*.a.example", "auth-type": "basic" };
  const objects = [
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { namespace: "dev", name: "users" },
      data: { auth: Buffer.from("ann:{PLAIN}one").toString("base64") },
    },
  ];
  const entry = await startEntry(t, [await startEcho(t)], {
    annotations: { ...annotations, "auth-secret": "users" },
    objects,
  });
  const preflight = await entry.curl("/", "-X", "OPTIONS", "-H", "Origin: https://x.a.example");
  assert.equal(preflight.status, 204);
  assert.match(preflight.head, /^Access-Control-Allow-Origin: https:\/\/x.a.example\r?$/m);
  assert.match(preflight.head, /^Access-Control-Allow-Methods: GET, PUT, POST, DELETE, PATCH, OPTIONS\r?$/m);
  const refused = await entry.curl("/", "-H", "Origin: https://x.a.example");
  assert.equal(refused.status, 401);
  assert.match(refused.head, /^Access-Control-Allow-Origin: https:\/\/x.a.example\r?$/m);
});

test("curl sees custom fields, and Strict-Transport-Security over TLS only", async (t) => {
  const more = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: "dev", name: "more" },
    data: { "X-Frame-Options": "DENY" },
  };
  const annotations = { "custom-headers": "more", "ssl-redirect": "false", "upstream-vhost": "inner.example" };
  const entry = await startEntry(t, [await startEcho(t)], { annotations, objects: [more], tls: true });
  const plain = await entry.curl("/");
  assert.match(plain.head, /^X-Frame-Options: DENY\r?$/m);
  assert.match(plain.body, /^host: inner.example$/m);
  assert.doesNotMatch(plain.head, /strict-transport/i);
  const secure = await entry.curl("https:/");
  assert.equal(secure.status, 200);
  assert.match(secure.head, /^Strict-Transport-Security: max-age=31536000; includeSubDomains\r?$/im);
});

test("requests of curl stand in a log that worker threads share", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "fairlead-e2e-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const path = join(dir, "access.log");
  const entry = await startEntry(t, [await startEcho(t)], {
    annotations: {},
    dataplane: { accessLog: { path, format: "line" } },
  });
  for (let count = 0; count < 10; count += 1) await entry.curl(`/${count}`);
  await entry.plane.stop({ drainMs: 1000 });
  const lines = readFileSync(path, "utf8").trim().split("\n");
  assert.equal(lines.length, 10);
  for (const line of lines)
    assert.match(line, /"GET \/\d HTTP\/1.1" 200 \d+ "-" "curl\/.* \[dev-web-80\] \[\] 127.0.0.1:/);
});

test("a copy of what curl sends goes elsewhere", async (t) => {
  execFileSync("ip", ["address", "replace", "10.99.7.1/32", "dev", "lo"]);
  const copied = Promise.withResolvers<string>();
  const elsewhere = await startEndpoint(
    t,
    (request, response) => {
      let body = "";
      request.on("data", (bytes: Buffer) => (body += bytes.toString()));
      request.on("end", () => {
        response.end();
        copied.resolve(`${request.method} ${request.url} ${request.headers.host} ${body}`);
      });
    },
    "10.99.7.1",
  );
  const target = `http://10.99.7.1:${elsewhere}/copy$request_uri`;
  const annotations = { "mirror-target": target, "mirror-host": "copy.example" };
  const entry = await startEntry(t, [await startEcho(t)], { annotations });
  const { status, body } = await entry.curl("/a", "-d", "all of it");
  assert.equal(status, 200);
  assert.match(body, /^web POST \/a\n/);
  assert.equal(await copied.promise, "POST /copy/a copy.example all of it");
});

test("curl --compressed gets an answer that was compressed on its way", async (t) => {
  const page = "all work and no play ".repeat(500);
  const endpoint = await startEndpoint(t, (_request, response) => {
    response.writeHead(200, { "Content-Type": "text/html" }).end(page);
  });
  const entry = await startEntry(t, [endpoint], { annotations: {}, ingress: { gzip: true } });
  const { head, body } = await entry.curl("/", "--compressed");
  assert.match(head, /^Content-Encoding: gzip\r?$/im);
  assert.equal(body, page);
  assert.equal((await entry.curl("/")).body, page);
});
