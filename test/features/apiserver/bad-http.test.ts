import assert from "node:assert/strict";
import { connect, type ConnectionOptions } from "node:tls";
import { test } from "node:test";
import { ask, startTestServer } from "../../fakes/api-server.ts";
import { watchedLog } from "../../fakes/log.ts";

/**
 * What is no HTTP as it should be, and how its answer begins. It can be lost when the connection is reset while more comes.
 */
const heads: readonly (readonly [of: string, bytes: string, answer: RegExp])[] = [
  ["no HTTP", "NONSENSE\r\n\r\n", /^HTTP\/1\.1 400 /],
  ["a method that is none", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", /^HTTP\/1\.1 400 /],
  ["another version", "GET / HTTP/9.9\r\nHost: a\r\n\r\n", /^HTTP\/1\.1 (400|505) /],
  ["no host", "GET / HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400 /],
  ["a head without end", `GET / HTTP/1.1\r\nHost: a\r\n${"X-A: b\r\n".repeat(12_000)}`, /^(HTTP\/1\.1 431 |$)/],
  [
    "a header that is too long",
    `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${"b".repeat(70_000)}\r\n\r\n`,
    /^(HTTP\/1\.1 431 |$)/,
  ],
  ["two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", /^HTTP\/1\.1 400 /],
  [
    "a length and chunks",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    /^HTTP\/1\.1 400 /,
  ],
  ["a length that is none", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", /^HTTP\/1\.1 400 /],
  [
    "a chunk that is none",
    "POST /api/v1/namespaces HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    /^(HTTP\/1\.1 400 |$)/,
  ],
  ["a name with a space", "GET / HTTP/1.1\r\nHost: a\r\nX A: b\r\n\r\n", /^HTTP\/1\.1 400 /],
  ["a bare line feed in a value", "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\nc\r\n\r\n", /^HTTP\/1\.1 400 /],
];

test("what is no proper HTTP ends its own connection and nothing else", async (t) => {
  const { log, faults } = watchedLog();
  const server = await startTestServer({ log });
  t.after(() => server.stop());
  const { ca, admin } = server.certificates;
  const port = server.addresses()[0]?.port ?? 0;
  const options: ConnectionOptions = { port, host: "127.0.0.1", ca, ...admin };
  for (const [of, bytes, answer] of heads) {
    const socket = connect(options);
    // A server that has answered may reset what is still coming.
    socket.on("error", () => {});
    let said = "";
    socket.setEncoding("latin1").on("data", (text: string) => (said += text));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.end(bytes);
    await closed;
    assert.match(said, answer, `${of}: ${said.slice(0, 200)}`);
    assert.equal((await ask(server, "/readyz")).code, 200, of);
  }
  assert.deepEqual(faults, []);
});
