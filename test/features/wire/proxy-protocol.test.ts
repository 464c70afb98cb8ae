import assert from "node:assert/strict";
import { test } from "node:test";
import { readProxyHeader, writeProxyHeader, type Proxied } from "#wire/proxy-protocol.ts";

const four: Proxied = {
  source: { address: "192.0.2.7", port: 51_234 },
  destination: { address: "198.51.100.9", port: 443 },
};
const six: Proxied = {
  source: { address: "2001:db8::1:0:7", port: 1 },
  destination: { address: "::ffff:c000:207", port: 65_535 },
};
const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const binary = (...rest: number[]) => Buffer.concat([signature, Buffer.from(rest)]);
const text = (line: string) => Buffer.from(line, "latin1");

test("what is written is read back, in both versions, at every split and with what follows", () => {
  for (const version of [1, 2] as const) {
    for (const proxied of [four, { ...six, destination: { address: "2001:db8::2", port: 80 } }]) {
      const header = writeProxyHeader(version, proxied);
      const whole = Buffer.concat([text("xx"), header, text("GET / HTTP/1.1\r\n")]);
      for (let end = 2; end < 2 + header.length; end += 1) {
        assert.deepEqual(readProxyHeader(whole, 2, end), { type: "incomplete" }, `${version} cut at ${end}`);
      }
      for (let end = 2 + header.length; end <= whole.length; end += 1) {
        assert.deepEqual(readProxyHeader(whole, 2, end), { type: "header", length: header.length, proxied });
      }
    }
  }
});

test("version 1 is a line of text", () => {
  assert.equal(writeProxyHeader(1, four).toString(), "PROXY TCP4 192.0.2.7 198.51.100.9 51234 443\r\n");
  const mixed = { source: four.source, destination: six.destination };
  assert.equal(writeProxyHeader(1, mixed).toString(), "PROXY UNKNOWN\r\n");
  for (const line of ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff:f ffff:: 65535 65535\r\n"]) {
    assert.deepEqual(readProxyHeader(text(line)), { type: "header", length: line.length });
  }
});

test("version 2 skips what follows the addresses, and takes no address where the proxy speaks for itself", () => {
  const addresses = [192, 0, 2, 7, 198, 51, 100, 9, 51_234 >> 8, 51_234 & 255, 1, 187];
  const withMore = binary(0x21, 0x11, 0, 15, ...addresses, 4, 0, 0);
  assert.deepEqual(readProxyHeader(withMore), { type: "header", length: 31, proxied: four });
  for (const bytes of [
    binary(0x20, 0x00, 0, 0),
    binary(0x20, 0x11, 0, 12, ...addresses),
    binary(0x21, 0x00, 0, 3, 1, 2, 3),
    binary(0x21, 0x31, 0, 0),
  ]) {
    assert.deepEqual(readProxyHeader(bytes), { type: "header", length: bytes.length });
  }
});

test("everything else is refused, as soon as it can be told", () => {
  for (const bytes of [
    text("GET / HTTP/1.1\r\n"),
    text("PROXZ"),
    text("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n"),
    text("PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n"),
    text("PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n"),
    text("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"),
    text("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"),
    text("PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n"),
    text("PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n"),
    text("PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n"),
    text("PROXY TCP4 ::1 ::1 1 2\r\n"),
    text("PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n"),
    text("PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n"),
    text(`PROXY UNKNOWN ${"x".repeat(120)}`),
    text(`PROXY UNKNOWN ${"x".repeat(92)}\r\n`),
    text("\r\n\r\n\0\r\nQUIX"),
    binary(0x11),
    binary(0x22),
    binary(0x21, 0x41),
    binary(0x21, 0x13),
    binary(0x21, 0x11, 0xff, 0xff),
    binary(0x21, 0x11, 0, 11, ...new Array<number>(11).fill(0)),
  ]) {
    assert.equal(readProxyHeader(bytes).type, "bad", JSON.stringify(bytes.toString("latin1")));
  }
});
