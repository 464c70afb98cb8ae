import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { Filter } from "#dataplane/table.ts";
import { httpEndpoint, simple, startPlane } from "./harness.ts";

const page = "all work and no play ".repeat(5000);
const origin = "https://a.example";
const filters: readonly Filter[] = [
  { type: "cors", origins: [origin], methods: "GET", headers: "X-One", credentials: true, maxAge: 600 },
  { type: "basic-auth", realm: "x", users: [["ann", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"]] },
  { type: "compress", coding: "gzip", level: 1, minBytes: 256, types: ["text/plain"] },
];

test("filters hold for requests of HTTP/2: who waits for a guard, is compressed, gets fields, and is written down", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-h2-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "access.log");
  const { plane, port } = await startPlane(t, { accessLog: { path, format: "line" } });
  const bodies: string[] = [];
  const endpoint = await httpEndpoint(t, (request, response) => {
    let body = "";
    request.setEncoding("latin1").on("data", (part: string) => (body += part));
    request.on("end", () => {
      bodies.push(body);
      response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": page.length }).end(page);
    });
  });
  await plane.apply(simple([endpoint], { filters }));

  const client = connect(`http://127.0.0.1:${port}`);
  // The end of the plane, which may come before ours.
  client.on("error", () => {});
  t.after(() => client.destroy());
  const ask = async (fields: OutgoingHttpHeaders, body?: string) => {
    const stream = client.request({ ":path": "/", origin, ...fields }, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
    const headers = new Promise<IncomingHttpHeaders>((resolve) => stream.once("response", resolve));
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part as Buffer);
    return { headers: await headers, body: Buffer.concat(parts) };
  };
  const authorization = `Basic ${btoa("ann:U*U")}`;
  const upload = "x".repeat(200_000);
  // All at once: each waits for the same slow comparison, with a head and a body of its own.
  const answers = await Promise.all([
    ask({ authorization, "accept-encoding": "gzip" }),
    ask({ authorization, ":method": "POST" }, upload),
    ask({ authorization: `Basic ${btoa("ann:wrong")}` }),
    ask({ ":method": "OPTIONS" }),
  ]);
  const [zipped, plain, refused, preflight] = answers;
  assert.deepEqual(
    answers.map(({ headers }) => headers[":status"]),
    [200, 200, 401, 204],
  );
  assert.equal(zipped?.headers["content-encoding"], "gzip");
  assert.equal(zipped?.headers["content-length"], undefined);
  assert.equal(gunzipSync(zipped?.body ?? "").toString(), page);
  assert.equal(plain?.body.toString(), page);
  assert.deepEqual(bodies.sort(), ["", upload]);
  assert.equal(refused?.headers["www-authenticate"], 'Basic realm="x"');
  assert.equal(preflight?.headers["access-control-allow-methods"], "GET");
  for (const { headers } of answers) assert.equal(headers["access-control-allow-origin"], origin);

  await plane.stop({ drainMs: 0 });
  const lines = readFileSync(path, "latin1").trim().split("\n");
  assert.equal(lines.length, 4);
  for (const line of lines) assert.match(line, /"(?:GET|POST|OPTIONS) \/ HTTP\/2\.0" (?:200|204|401) /);
});
