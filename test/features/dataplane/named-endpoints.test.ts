import assert from "node:assert/strict";
import { test } from "node:test";
import { startFakeUpstream } from "../../fakes/dns-upstream.ts";
import { createLookup, mayBeNamed } from "#dataplane/transport/lookup.ts";

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
    createLookup()("localhost", { all: true }, (failed) => resolve(failed)),
  );
  assert.equal(error?.code, "EFORBIDDEN");
});

test("names are asked of the given servers first, and what these say is held to the same rule", async () => {
  const records: Record<string, string> = { "web.dev.test.": "10.96.7.7", "inside.dev.test.": "127.0.0.1" };
  const upstream = await startFakeUpstream((name, type) => {
    const address = records[name.endsWith(".") ? name : `${name}.`];
    return address !== undefined && type === "A" ? { answers: [`${name} 5 A ${address}`] } : { rcode: 3 };
  });
  const lookup = createLookup([`${upstream.address}:${upstream.port}`]);
  const resolve = (name: string) =>
    new Promise((done) => lookup(name, {}, (error, address) => done(error?.code ?? address)));
  try {
    assert.equal(await resolve("web.dev.test"), "10.96.7.7");
    assert.equal(await resolve("inside.dev.test"), "EFORBIDDEN");
  } finally {
    await upstream.stop();
  }
});
