import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { createHeaderDeflate, createHeaderInflate } from "#node/streams/spdy/compress.ts";
import { createFrameReader, parseHeaders, renderHeaders, SpdyError } from "#node/streams/spdy/frame.ts";
import { startSpdy } from "#node/streams/spdy/session.ts";

const seed = 20_260_101;

test("headers come back as they were, block after block through one compressor", async () => {
  const deflate = createHeaderDeflate();
  const inflate = createHeaderInflate();
  const name = fc.stringMatching(/^[a-z-]{1,20}$/);
  const blocks = fc.array(fc.array(fc.tuple(name, fc.string({ maxLength: 60 })), { maxLength: 8 }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(blocks, async (list) => {
      for (const pairs of list) {
        const headers = new Map(pairs);
        const back = parseHeaders(await inflate(await deflate(renderHeaders(headers))));
        assert.deepEqual([...back], [...headers]);
      }
    }),
    { seed, numRuns: 60 },
  );
});

test("bytes that are no frames are refused or waited on, never believed", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        for (const frame of createFrameReader()(Buffer.from(bytes))) assert.ok(frame.payload.length <= bytes.length);
      } catch (error) {
        assert.ok(error instanceof SpdyError);
      }
      try {
        parseHeaders(Buffer.from(bytes));
      } catch (error) {
        assert.ok(error instanceof SpdyError);
      }
    }),
    { seed, numRuns: 500 },
  );
});

test("a session that is sent anything at all ends or goes on, and throws nothing", async () => {
  const head = fc.constantFrom(
    [0x80, 3, 0, 1],
    [0x80, 3, 0, 2],
    [0x80, 3, 0, 3],
    [0x80, 3, 0, 6],
    [0x80, 3, 0, 7],
    [0, 0, 0, 1],
  );
  const frame = fc.tuple(head, fc.uint8Array({ maxLength: 40 }));
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 6 }), async (frames) => {
      const [near, far] = duplexPair();
      startSpdy(near, { side: "server", onStream: (stream) => stream.resume() });
      far.on("error", () => {});
      far.resume();
      for (const [start, payload] of frames) {
        far.write(Buffer.from([...start, 0, 0, 0, payload.length, ...payload]));
      }
      far.end();
      await new Promise((resolve) => setImmediate(resolve));
      near.destroy();
    }),
    { seed, numRuns: 150 },
  );
});

test("a header block that unpacks to far more than it says is refused", async () => {
  const deflate = createHeaderDeflate();
  const bomb = await deflate(renderHeaders(new Map([["a", "0".repeat(60_000)]])));
  assert.ok(bomb.length < 1000);
  assert.equal((await createHeaderInflate()(bomb)).length, 60_013);
  await assert.rejects(createHeaderInflate()(deflateSync(Buffer.alloc(1_000_000))), SpdyError);
});
