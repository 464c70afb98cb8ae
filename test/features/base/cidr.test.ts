import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  addressAt,
  cidrContains,
  cidrSize,
  cidrsOverlap,
  formatAddress,
  formatCidr,
  parseAddress,
  parseCidr,
  type Address,
  type Cidr,
} from "#base/cidr.ts";

const forms: [text: string, canonical: string | undefined][] = [
  ["10.0.0.1", "10.0.0.1"],
  ["255.255.255.255", "255.255.255.255"],
  ["010.0.0.1", undefined],
  ["10.0.0", undefined],
  ["10.0.0.256", undefined],
  ["1.2.3.4.5", undefined],
  ["::", "::"],
  ["::1", "::1"],
  ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:db8::0:1", "2001:db8::1"],
  ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
  ["fe80::1:0", "fe80::1:0"],
  ["::ffff:10.0.0.1", "::ffff:a00:1"],
  ["1::2::3", undefined],
  ["1:2:3:4:5:6:7", undefined],
  ["1:2:3:4:5:6:7:8:9", undefined],
  ["12345::", undefined],
  ["", undefined],
  ["localhost", undefined],
];

for (const [text, canonical] of forms) {
  test(`the address ${JSON.stringify(text)} is read as ${canonical ?? "no address"}`, () => {
    const address = parseAddress(text);
    assert.equal(address && formatAddress(address), canonical);
  });
}

test("every address is read back from its own text", () => {
  const address = fc.oneof(
    fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }).map((value): Address => ({ family: 4, value })),
    fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((value): Address => ({ family: 6, value })),
  );
  fc.assert(fc.property(address, (given) => assert.deepEqual(parseAddress(formatAddress(given)), given)));
});

test("a range knows its size, its addresses and its neighbours", () => {
  const cidr = parseCidr("10.96.7.9/12") as Cidr;
  assert.equal(formatCidr(cidr), "10.96.0.0/12");
  assert.equal(cidrSize(cidr), 1n << 20n);
  assert.equal(formatAddress(addressAt(cidr, 10)), "10.96.0.10");
  assert.equal(cidrContains(cidr, { family: 4, value: addressAt(cidr, (1 << 20) - 1).value }), true);
  assert.equal(cidrContains(cidr, addressAt(cidr, 1 << 20)), false);
  assert.equal(cidrsOverlap(cidr, parseCidr("10.98.0.0/16") as Cidr), true);
  assert.equal(cidrsOverlap(cidr, parseCidr("10.112.0.0/12") as Cidr), false);
  assert.equal(cidrsOverlap(cidr, parseCidr("::/0") as Cidr), false);
});

for (const text of ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "::/129", "/8"]) {
  test(`${JSON.stringify(text)} is no range`, () => assert.equal(parseCidr(text), undefined));
}
