import assert from "node:assert/strict";
import { test } from "node:test";
import { rcodes } from "#wire/dns/numbers.ts";
import { queryFor, read, sendUdp } from "../../fakes/dns-client.ts";
import { startFakeUpstream } from "../../fakes/dns-upstream.ts";
import { namespace, startHere } from "./fixture.ts";

for (const inWorker of [false, true]) {
  test(`upstreams can be replaced while it answers (in ${inWorker ? "a worker" : "this thread"})`, async () => {
    const first = await startFakeUpstream(() => ({ answers: ["www.test. 60 A 192.0.2.1"] }));
    const second = await startFakeUpstream(() => ({ answers: ["other.test. 60 A 192.0.2.2"] }));
    const { dns, at } = await startHere([namespace("dev")], { upstreams: [first], inWorker });
    const ask = async (name: string) => read(await sendUdp(at, queryFor(name, "A")));
    assert.equal((await ask("www.test")).answers[0]?.data[3], 1);
    dns.setUpstreams({ upstreams: [second] });
    // Counters are asked for behind the change, so the change is there when they come.
    await dns.counters();
    assert.equal((await ask("other.test")).answers[0]?.data[3], 2);
    assert.deepEqual(first.asked, ["www.test A udp"]);
    dns.setUpstreams({ resolvConf: "search example.com\n" });
    await dns.counters();
    assert.equal((await ask("third.test")).rcode, rcodes.REFUSED);
    await dns.stop();
    await Promise.all([first.stop(), second.stop()]);
  });
}
