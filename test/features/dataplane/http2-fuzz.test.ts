import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { silentLog, type Log } from "#base/log.ts";
import { dialHttp2, frame } from "./http2-peer.ts";
import { dial, echoEndpoint, rawEndpoint, quick, simple, startPlane, backend, change, host, route } from "./harness.ts";

/** Notes defects that are reported: a connection may end for what its peer says, never for a fault of ours. */
function watchingLog(faults: unknown[]): Log {
  return { ...silentLog, error: (fields) => faults.push(fields), child: () => watchingLog(faults) };
}

const block = fc.oneof(
  fc.constant(Buffer.from("828684410161", "hex")),
  fc.constant(Buffer.from("838684410161", "hex")),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);

/** Frames that are mostly in order, so that they come to more than one refusal. */
const anyFrame = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant(1), fc.constantFrom(4, 5, 1, 0, 0x2c), fc.nat(12), block) },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constant(0), fc.constantFrom(0, 1, 8), fc.nat(12), fc.uint8Array({ maxLength: 600 })),
  },
  { weight: 1, arbitrary: fc.tuple(fc.nat(11), fc.nat(255), fc.nat(12), fc.uint8Array({ maxLength: 12 })) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constantFrom(3, 8),
      fc.constant(0),
      fc.nat(12),
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
    ),
  },
);

const conversation = fc.array(anyFrame, { maxLength: 40 });

test("whatever frames a client sends, the next client is served and nothing of ours breaks", async (t) => {
  const faults: unknown[] = [];
  const { plane, port } = await startPlane(t, { log: watchingLog(faults) });
  await plane.apply(simple([await echoEndpoint(t)]));
  await fc.assert(
    fc.asyncProperty(conversation, async (frames) => {
      const peer = await dialHttp2(t, port);
      for (const [type, flags, stream, payload] of frames) peer.send(frame(type, flags, stream, payload));
      peer.socket.end();
      await peer.until(() => peer.closed);
      assert.deepEqual(faults, []);
    }),
    { numRuns: 300 },
  );
  const peer = await dialHttp2(t, port);
  peer.request(1);
  await peer.seen("1 200");
});

test("whatever bytes follow the preface, the connection ends and nothing of ours breaks", async (t) => {
  const faults: unknown[] = [];
  const { plane, port } = await startPlane(t, { log: watchingLog(faults) });
  await plane.apply(simple([await echoEndpoint(t)]));
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (bytes) => {
      const peer = await dialHttp2(t, port);
      peer.send(Buffer.from(bytes));
      peer.socket.end();
      await peer.until(() => peer.closed);
      assert.deepEqual(faults, []);
    }),
    { numRuns: 200 },
  );
});

test("whatever frames an endpoint sends, its client gets an answer or an end, and nothing of ours breaks", async (t) => {
  const faults: unknown[] = [];
  const { plane, port } = await startPlane(t, { log: watchingLog(faults), limits: quick });
  let says: Buffer = Buffer.alloc(0);
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.once("data", () => socket.end(says));
  });
  const backends = [backend("b", [endpoint], { protocol: "h2" })];
  await plane.apply(change({ hosts: [host("*", [route("all", {})])], backends }));
  await fc.assert(
    fc.asyncProperty(conversation, async (frames) => {
      says = Buffer.concat([
        frame(4, 0, 0),
        ...frames.map(([type, flags, stream, payload]) => frame(type, flags, stream, payload)),
      ]);
      const client = await dial(t, port);
      client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      await client.end();
      assert.deepEqual(faults, []);
    }),
    { numRuns: 300 },
  );
});
