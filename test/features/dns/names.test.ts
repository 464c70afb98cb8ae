import assert from "node:assert/strict";
import { test } from "node:test";
import { isWithin, nameFromText, nameToText, parentOf, readName } from "#wire/dns/name.ts";

const bad: readonly [what: string, hex: string, at: number][] = [
  ["a pointer to itself", "c000", 0],
  ["two pointers to each other", "c002c000", 2],
  ["a pointer forward", "c0020161", 0],
  ["a label that leads to its own start", "0161c000", 0],
  ["a pointer cut short", "0161c0", 0],
  ["a label cut short", "0561", 0],
  ["a name without end", "0161", 0],
  ["a label of type 01", "4161", 0],
  ["a label of type 10", "8161", 0],
  ["a start behind the end", "0161", 7],
];
for (const [what, hex, at] of bad) {
  test(`${what} is no name`, () => assert.equal(readName(Buffer.from(hex, "hex"), at), undefined));
}

test("a name grown by pointers past 255 bytes is no name; one of 255 is", () => {
  const label = Buffer.concat([Buffer.from([63]), Buffer.alloc(63, 97)]);
  const packet = Buffer.concat([label, label, label, Buffer.from([0]), label, Buffer.from([0xc0, 0])]);
  assert.equal(readName(packet, 193), undefined);
  const shorter = Buffer.concat([label, label, label, Buffer.from([0]), Buffer.from([61]), Buffer.alloc(61, 97)]);
  const read = readName(Buffer.concat([shorter, Buffer.from([0xc0, 0])]), 193);
  assert.equal(read?.name.length, 254);
  assert.equal(read?.next, 193 + 62 + 2);
});

test("a chain of many pointers is no name", () => {
  const pointers = (count: number) => {
    const packet = Buffer.alloc(2 + count * 2);
    for (let index = 1; index <= count; index++) packet.writeUInt16BE(0xc000 | (index * 2 - 2), index * 2);
    return readName(packet, count * 2);
  };
  assert.equal(pointers(64)?.name, "");
  assert.equal(pointers(65), undefined);
});

test("pointers to earlier names are followed, and reading goes on behind the first", () => {
  const packet = Buffer.from("0363 6f6d 00 0161c000 0162c005 ff".replaceAll(" ", ""), "hex");
  assert.deepEqual(readName(packet, 9), { name: "\x01b\x01a\x03com", next: 13 });
});

test("a zone ends at a label, not inside one", () => {
  const zone = nameFromText("cluster.local") ?? "";
  assert.equal(isWithin(nameFromText("web.cluster.local") ?? "", zone), true);
  assert.equal(isWithin(zone, zone), true);
  assert.equal(isWithin(nameFromText("xcluster.local") ?? "", zone), false);
  assert.equal(isWithin(nameFromText("ab\\007cluster.local") ?? "", zone), false);
  assert.equal(isWithin(nameFromText("local") ?? "", zone), false);
});

test("text keeps dots and bytes inside labels apart from dots between them", () => {
  assert.equal(nameFromText("a\\.b.c"), "\x03a.b\x01c");
  assert.equal(nameToText("\x03a.b\x02\xff\x00"), "a\\.b.\\255\\000");
  assert.equal(parentOf("\x03a.b\x01c"), "\x01c");
  for (const text of ["a..b", ".a", "x".repeat(64), `${"x.".repeat(127)}xx`])
    assert.equal(nameFromText(text), undefined);
});
