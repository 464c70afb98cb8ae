import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test, type TestContext } from "node:test";
import type { Filter } from "#dataplane/table.ts";
import {
  ask,
  backend,
  change,
  deadPort,
  dial,
  echoEndpoint,
  host,
  httpEndpoint,
  route,
  startPlane,
} from "./harness.ts";

type Mirror = Extract<Filter, { type: "mirror" }>;

interface Copied {
  readonly head: IncomingMessage;
  readonly body: string;
}

async function mirrored(t: TestContext, more: Partial<Mirror> = {}, dead = false) {
  const { plane, port } = await startPlane(t);
  const copies: Copied[] = [];
  let told: (() => void) | undefined;
  const elsewhere = await httpEndpoint(t, (head, response) => {
    let body = "";
    head.on("data", (bytes: Buffer) => (body += bytes.toString()));
    head.on("end", () => {
      copies.push({ head, body });
      response.writeHead(500).end("nobody reads this");
      told?.();
    });
  });
  const filter: Mirror = {
    type: "mirror",
    backend: "copies",
    host: "copy.example",
    target: "/copied$request_uri",
    withBody: true,
    timeouts: { connectMs: 5000, readMs: 5000, sendMs: 5000 },
    ...more,
  };
  const hosts = [host("*", [route("r", { filters: [filter] })])];
  const backends = [backend("b", [await echoEndpoint(t)]), backend("copies", [dead ? await deadPort() : elsewhere])];
  await plane.apply(change({ hosts, backends }));
  const copied = async (count: number) => {
    while (copies.length < count) await new Promise<void>((resolve) => (told = resolve));
    return copies;
  };
  return { port, copied, copies };
}

test("a request goes to its endpoint and a copy elsewhere, with its fields", async (t) => {
  const { port, copied } = await mirrored(t);
  const { status, body } = await ask(t, port, "GET /a?b", ["Cookie: x=y", "X-Forwarded-For: 9.9.9.9"]);
  assert.equal(status, 200);
  assert.match(body, /^GET \/a\?b\n/);
  const [copy] = await copied(1);
  assert.equal(copy?.head.method, "GET");
  assert.equal(copy?.head.url, "/copied/a?b");
  assert.equal(copy?.head.headers.host, "copy.example");
  assert.equal(copy?.head.headers.cookie, "x=y");
  assert.equal(copy?.head.headers["x-forwarded-for"], "127.0.0.1");
  assert.equal(copy?.head.headers["x-forwarded-host"], "example.com");
});

test("bodies are copied whole, with a length or in chunks, in one piece or several", async (t) => {
  const { port, copied } = await mirrored(t);
  const plain = await dial(t, port);
  plain.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nConnection: close\r\n\r\n01234");
  plain.send("56789");
  assert.match(await plain.end(), /body 10/);
  assert.equal((await copied(1))[0]?.body, "0123456789");
  const chunked = await dial(t, port);
  chunked.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n");
  chunked.send("2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n");
  assert.match(await chunked.end(), /body 5/);
  assert.equal((await copied(2))[1]?.body, "abcde");
});

test("copies have no body when told so, and long bodies are not copied", async (t) => {
  const bare = await mirrored(t, { withBody: false });
  const client = await dial(t, bare.port);
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
  assert.match(await client.end(), /body 3/);
  const [copy] = await bare.copied(1);
  assert.equal(copy?.body, "");
  assert.equal(copy?.head.headers["content-length"], undefined);
  const full = await mirrored(t);
  const long = await dial(t, full.port);
  long.send(
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1100000\r\nConnection: close\r\n\r\n${"x".repeat(1_100_000)}`,
  );
  assert.match(await long.end(), /body 1100000/);
  await ask(t, full.port, "GET /after");
  assert.equal((await full.copied(1))[0]?.head.url, "/copied/after");
});

test("nobody notices when the copy's place is gone", async (t) => {
  const { port } = await mirrored(t, {}, true);
  for (let count = 0; count < 3; count += 1) assert.equal((await ask(t, port, "GET /")).status, 200);
});
