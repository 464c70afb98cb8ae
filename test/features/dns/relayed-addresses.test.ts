import assert from "node:assert/strict";
import { test } from "node:test";
import { queryFor, read, sendUdp } from "../../fakes/dns-client.ts";
import { startFakeUpstream } from "../../fakes/dns-upstream.ts";
import { startHere } from "./fixture.ts";

const families = [
  ["A", ["192.0.2.1", "192.0.2.2", "192.0.2.3"]],
  ["AAAA", ["2001:db8::1", "2001:db8::2"]],
] as const;

for (const [type, addresses] of families) {
  test(`${type} records of an upstream reach the client whole, under the name as it was spelled`, async () => {
    const upstream = await startFakeUpstream(() => ({
      answers: addresses.map((each) => `www.test. 600 ${type} ${each}`),
    }));
    const { dns, at } = await startHere([], { upstreams: [upstream] });
    for (const spelled of ["www.test", "wWw.TeSt"]) {
      const { answers } = read(await sendUdp(at, queryFor(spelled, type)));
      assert.equal(answers.length, addresses.length);
      const lasts = answers.map(({ data }) => data.at(-1)).sort();
      assert.deepEqual(
        lasts,
        addresses.map((_, index) => index + 1),
      );
      for (const { name, ttl, class: net } of answers) {
        assert.deepEqual([name, ttl, net], [`\x03${spelled.replace(".", "\x04")}`, 30, 1]);
      }
    }
    await dns.stop();
    await upstream.stop();
  });
}
