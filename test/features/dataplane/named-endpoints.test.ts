import assert from "node:assert/strict";
import { test } from "node:test";
import { lookupEndpoint, mayBeNamed } from "#dataplane/transport/lookup.ts";

const addresses: [address: string, allowed: boolean][] = [
  ["127.0.0.1", false],
  ["127.8.8.8", false],
  ["0.0.0.0", false],
  ["169.254.169.254", false],
  ["::1", false],
  ["::", false],
  ["fe80::1", false],
  ["::ffff:127.0.0.1", false],
  ["10.244.1.5", true],
  ["192.0.2.1", true],
  ["2001:db8::1", true],
];

for (const [address, allowed] of addresses) {
  test(`a name ${allowed ? "may" : "may not"} lead to ${address}`, () => assert.equal(mayBeNamed(address), allowed));
}

test("an endpoint called localhost is not this machine", async () => {
  const error = await new Promise<NodeJS.ErrnoException | null>((resolve) =>
    lookupEndpoint("localhost", { all: true }, (failed) => resolve(failed)),
  );
  assert.equal(error?.code, "EFORBIDDEN");
});
