import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { silentLog, type Log } from "#base/log.ts";
import { casesOf, outcomeOf, readRequest, readResponse, type Reader } from "../../cases/http1/reading.ts";
import { dial, echoEndpoint, rawEndpoint, simple, startPlane } from "./harness.ts";

/** Notes defects that are reported: a connection may end for what its peer says, never for a fault of ours. */
function watchingLog(faults: unknown[]): Log {
  return { ...silentLog, error: (fields) => faults.push(fields), child: () => watchingLog(faults) };
}

const messages = (kind: "requests" | "responses") =>
  casesOf(kind)
    .flatMap(({ cases }) => cases.map(({ bytes }) => bytes))
    .filter(({ length }) => length < 2000);

const piece = fc.constantFrom(
  "\r\n",
  "\n",
  "\r",
  "\0",
  " ",
  "\t",
  ":",
  ",",
  ";",
  "0",
  "\r\n\r\n",
  "0\r\n\r\n",
  "Content-Length: 5\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Host: a\r\n",
  "Connection: close\r\n",
  "\xff",
);

/** A message of the case files with some of its bytes taken out, put in or put in the place of others. */
const spoiled = (kind: "requests" | "responses") =>
  fc
    .tuple(
      fc.constantFrom(...messages(kind)),
      fc.array(fc.tuple(fc.nat(2000), fc.nat(3), piece), { minLength: 1, maxLength: 4 }),
    )
    .map(([bytes, edits]) => {
      let text = bytes.toString("latin1");
      for (const [place, taken, put] of edits) {
        const at = place % (text.length + 1);
        text = text.slice(0, at) + put + text.slice(at + taken);
      }
      return Buffer.from(text, "latin1");
    });

const readers: readonly (readonly [kind: "requests" | "responses", read: Reader])[] = [
  ["requests", readRequest],
  ["responses", readResponse(false)],
];

for (const [kind, read] of readers) {
  test(`${kind} spoiled in any way are read alike wherever they are cut`, () => {
    fc.assert(
      fc.property(spoiled(kind), fc.array(fc.nat(2000), { maxLength: 4 }), (bytes, places) => {
        const cuts = places.filter((cut) => cut > 0 && cut < bytes.length).sort((a, b) => a - b);
        assert.deepEqual(outcomeOf(bytes, cuts, read), outcomeOf(bytes, [], read));
      }),
      { numRuns: 3000 },
    );
  });
}

test("whatever bytes a client sends, the next client is served and nothing of ours breaks", async (t) => {
  const faults: unknown[] = [];
  const { plane, port } = await startPlane(t, { log: watchingLog(faults) });
  await plane.apply(simple([await echoEndpoint(t)]));
  await fc.assert(
    fc.asyncProperty(fc.array(spoiled("requests"), { minLength: 1, maxLength: 3 }), async (parts) => {
      const client = await dial(t, port);
      for (const part of parts) client.socket.write(part);
      client.socket.end();
      await client.end();
      assert.deepEqual(faults, []);
    }),
    { numRuns: 300 },
  );
  const client = await dial(t, port);
  client.send("GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  assert.match(await client.end(), /^HTTP\/1.1 200 OK\r\n[^]*GET \/next/);
});

test("whatever bytes an endpoint sends, its client gets an answer or an end, and nothing of ours breaks", async (t) => {
  const faults: unknown[] = [];
  const { plane, port } = await startPlane(t, { log: watchingLog(faults) });
  let says: Buffer = Buffer.alloc(0);
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.once("data", () => socket.end(says));
  });
  await plane.apply(simple([endpoint]));
  await fc.assert(
    fc.asyncProperty(spoiled("responses"), async (bytes) => {
      says = bytes;
      const client = await dial(t, port);
      client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      await client.end();
      assert.deepEqual(faults, []);
    }),
    { numRuns: 300 },
  );
});
