import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { errorCode, frameHeadBytes, writeFrameHead } from "#wire/http2/frame.ts";
import { FrameReader } from "#wire/http2/frame-reader.ts";
import { initialSettings, readSettings, renderSettings, setting } from "#wire/http2/settings.ts";

function render(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(frameHeadBytes + payload.length);
  writeFrameHead(bytes, 0, { length: payload.length, type, flags, stream });
  bytes.set(payload, frameHeadBytes);
  return bytes;
}

const frame = fc.tuple(fc.nat(20), fc.nat(255), fc.nat(0x7fffffff), fc.uint8Array({ maxLength: 100 }));

test("frames are the same wherever the bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 20 }), fc.array(fc.integer({ min: 1, max: 60 })), (frames, cuts) => {
      const seen: unknown[] = [];
      const reader = new FrameReader((type, flags, stream, bytes, start, end) => {
        seen.push([type, flags, stream, [...bytes.subarray(start, end)]]);
        return 0;
      });
      const bytes = Buffer.concat(frames.map((parts) => render(...parts)));
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        const next = Math.min(bytes.length, at + cut);
        assert.equal(reader.feed(bytes, at, next), 0);
        at = next;
      }
      assert.deepEqual(
        seen,
        frames.map(([type, flags, stream, payload]) => [type, flags, stream, [...payload]]),
      );
      assert.equal(reader.partial, false);
    }),
  );
});

test("a frame larger than we take is refused with its head, before its payload comes", () => {
  for (const cut of [1, 8, frameHeadBytes]) {
    const reader = new FrameReader(() => assert.fail("no frame is whole"));
    const head = render(0, 0, 1, Buffer.alloc(16_385)).subarray(0, frameHeadBytes);
    const first = reader.feed(head, 0, cut);
    assert.equal(first === 0 ? reader.feed(head, cut, head.length) : first, errorCode.frameSize);
  }
});

test("a payload of the largest size passes in one piece and in two", () => {
  const bytes = render(0, 0, 1, Buffer.alloc(16_384, "x"));
  for (const cut of [0, 5, frameHeadBytes, 10_000]) {
    let length = 0;
    const reader = new FrameReader((...[, , , , start, end]) => {
      length = end - start;
      return 0;
    });
    reader.feed(bytes, 0, cut);
    reader.feed(bytes, cut, bytes.length);
    assert.equal(length, 16_384);
  }
});

test("settings that break a rule name the error of RFC 9113 section 6.5.2", () => {
  const outcomes: readonly (readonly [id: number, value: number, error: number])[] = [
    [setting.enablePush, 2, errorCode.protocol],
    [setting.initialWindowSize, 0x80000000, errorCode.flowControl],
    [setting.maxFrameSize, 16_383, errorCode.protocol],
    [setting.maxFrameSize, 0x1000000, errorCode.protocol],
    [setting.enableConnectProtocol, 2, errorCode.protocol],
    [setting.headerTableSize, 0xffffffff, 0],
    [0x7f, 1, 0],
  ];
  for (const [id, value, error] of outcomes) {
    const bytes = renderSettings([[id, value]]);
    assert.equal(readSettings(bytes, frameHeadBytes, bytes.length, initialSettings()), error, `${id}=${value}`);
  }
  assert.equal(readSettings(Buffer.alloc(7), 0, 7, initialSettings()), errorCode.frameSize);
});
