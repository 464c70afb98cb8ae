import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { certificateId, readOcspResponse } from "#wire/ocsp.ts";
import { readProxyHeader, writeProxyHeader } from "#wire/proxy-protocol.ts";
import { readClientHello } from "#wire/tls-hello.ts";
import { createAuthority } from "../../fakes/authority.ts";

/** Bytes that begin well, so that the readers get further than their first look. */
const hello = Buffer.from(
  "16030100400100003c0303" + "07".repeat(32) + "0000021301010000110000000d000b000008612e6578616d70",
  "hex",
);
const proxied = { source: { address: "192.0.2.7", port: 1 }, destination: { address: "192.0.2.8", port: 2 } };
const seeds = [hello, writeProxyHeader(1, proxied), writeProxyHeader(2, proxied), Buffer.from("30030a0103", "hex")];

/** One of the seeds with some bytes changed, cut somewhere, and something behind it. */
const bytes = fc
  .record({
    seed: fc.constantFrom(...seeds),
    edits: fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }),
    cut: fc.nat(200),
    more: fc.uint8Array({ maxLength: 64 }),
  })
  .map(({ seed, edits, cut, more }) => {
    const changed = Buffer.from(seed);
    for (const [at, value] of edits) if (at < changed.length) changed[at] = value;
    return Buffer.concat([changed.subarray(0, cut), more]);
  });

test("no bytes make a reader fail, or see more than there is", async () => {
  const root = await createAuthority("CN=Root");
  const issuer = new X509Certificate(root.cert);
  const id = certificateId(issuer, issuer) ?? assert.fail("no id");
  fc.assert(
    fc.property(bytes, (input) => {
      const header = readProxyHeader(input);
      if (header.type === "header") assert.ok(header.length <= input.length);
      // What is incomplete can become whole only by more bytes, what is bad stays bad.
      for (const reader of [readProxyHeader, readClientHello]) {
        const { type } = reader(input);
        if (type === "bad" || type === "other") {
          assert.equal(reader(Buffer.concat([input, Buffer.from("more")])).type, type);
        }
      }
      assert.equal(readOcspResponse(input, id, issuer, 0).type, "unusable");
    }),
    { numRuns: 3000, seed: 1 },
  );
});
