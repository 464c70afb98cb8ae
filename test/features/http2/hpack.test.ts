import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteWriter } from "#wire/http2/byte-writer.ts";
import { inspectField } from "#wire/http2/fields.ts";
import { errorCode } from "#wire/http2/frame.ts";
import { HpackDecoder } from "#wire/http2/hpack/decoder.ts";
import { HpackEncoder } from "#wire/http2/hpack/encoder.ts";
import { decodeHuffman, encodeHuffman, huffmanLength } from "#wire/http2/hpack/huffman.ts";
import { FieldLines } from "#wire/http2/hpack/lines.ts";

const listSize = 1 << 20;
const decoderOf = (tableSize = 4096, size = listSize) =>
  new HpackDecoder({ inspect: inspectField, tableSize, listSize: size });

const bytesOf = (out: ByteWriter) => Buffer.from(out.bytes.subarray(0, out.length));

const fieldsOf = (lines: FieldLines) =>
  Array.from({ length: lines.count }, (_, at): [string, string] => [lines.name(at), lines.value(at)]);

test("whatever is Huffman coded comes back, and takes as many bytes as was said", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const out = new ByteWriter(8);
      encodeHuffman(bytes, 0, bytes.length, out);
      assert.equal(out.length, huffmanLength(bytes, 0, bytes.length));
      const back = new ByteWriter(8);
      assert.equal(decodeHuffman(out.bytes, 0, out.length, back), true);
      assert.deepEqual([...bytesOf(back)], [...bytes]);
    }),
  );
});

test("the code is complete: every byte has one, and no bits are left over", () => {
  const all = Uint8Array.from({ length: 256 }, (_, at) => at);
  const out = new ByteWriter(8);
  encodeHuffman(all, 0, 256, out);
  const back = new ByteWriter(8);
  assert.equal(decodeHuffman(out.bytes, 0, out.length, back), true);
  assert.deepEqual([...bytesOf(back)], [...all]);
});

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const known = fc.constantFrom("content-type", "cache-control", "cookie", "set-cookie", "content-length", "server");
const value = fc.oneof(fc.stringMatching(/^[!-~]{0,60}$/), fc.constantFrom("", "a", "text/html"));
const blocks = fc.array(fc.array(fc.tuple(fc.oneof(name, known), value), { maxLength: 30 }), { maxLength: 20 });

test("blocks come back as they were, also while the peer changes the size of its table", () => {
  fc.assert(
    fc.property(blocks, fc.array(fc.nat(4096), { minLength: 20, maxLength: 20 }), (lists, sizes) => {
      const encoder = new HpackEncoder();
      const decoder = decoderOf();
      const lines = new FieldLines();
      for (const [turn, list] of lists.entries()) {
        if (turn % 3 === 1) encoder.setTableSize(sizes[turn] ?? 0);
        if (turn % 4 === 1) encoder.setTableSize(sizes[turn - 1] ?? 0);
        const out = new ByteWriter(8);
        encoder.begin(out);
        for (const [name, value] of list) encoder.text(out, name, value);
        const block = bytesOf(out);
        assert.equal(decoder.decode(block, 0, block.length, lines), 0);
        assert.deepEqual(fieldsOf(lines), list);
      }
    }),
  );
});

test("names go out in lower case, and what was said before is one byte", () => {
  const encoder = new HpackEncoder();
  const field = Buffer.from("X-Custom: value", "latin1");
  const out = new ByteWriter(64);
  encoder.field(out, field, 0, 8, 10, 15);
  const first = out.length;
  encoder.field(out, field, 0, 8, 10, 15);
  assert.equal(out.length, first + 1);
  const lines = new FieldLines();
  decoderOf().decode(bytesOf(out), 0, out.length, lines);
  assert.deepEqual(fieldsOf(lines), [
    ["x-custom", "value"],
    ["x-custom", "value"],
  ]);
});

test("secrets are never kept in a table", () => {
  for (const name of ["authorization", "cookie", "set-cookie", "proxy-authorization"]) {
    const encoder = new HpackEncoder();
    const out = new ByteWriter(64);
    encoder.text(out, name, "secret");
    assert.equal((out.bytes[0] ?? 0) >>> 4, 1, name);
    const first = out.length;
    encoder.text(out, name, "secret");
    assert.equal(out.length, 2 * first);
  }
});

test("no bytes make the decoder throw or give more than its limits", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 5 }), (parts) => {
      const decoder = decoderOf(256, 1000);
      const lines = new FieldLines();
      for (const part of parts) {
        const block = Buffer.from(part);
        const error = decoder.decode(block, 0, block.length, lines);
        assert.ok(error === 0 || error === errorCode.compression);
        if (error !== 0) return;
        assert.ok(lines.overflow || lines.listSize <= 1000);
        assert.ok(lines.length <= 1000);
      }
    }),
    { numRuns: 2000 },
  );
});

test("a list that grows too large by references is cut, and the table stays right", () => {
  const decoder = decoderOf(4096, 10_000);
  const lines = new FieldLines();
  const big = Buffer.concat([Buffer.from("400161", "hex"), Buffer.from([0x7f, 0xe1, 0x06]), Buffer.alloc(992, "x")]);
  const block = Buffer.concat([big, Buffer.alloc(50_000, 0xbe)]);
  assert.equal(decoder.decode(block, 0, block.length, lines), 0);
  assert.equal(lines.overflow, true);
  assert.ok(lines.length < 10_000);
  assert.equal(decoder.decode(Buffer.from("be", "hex"), 0, 1, lines), 0);
  assert.deepEqual(fieldsOf(lines), [["a", "x".repeat(992)]]);
});
