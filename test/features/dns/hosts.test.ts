import assert from "node:assert/strict";
import { test } from "node:test";
import { nameToText } from "#wire/dns/name.ts";
import { rcodes } from "#wire/dns/numbers.ts";
import { nameOfData } from "#wire/dns/record.ts";
import type { HostsSettings } from "../../../src/dns/settings.ts";
import { queryFor, read, sendUdp } from "../../fakes/dns-client.ts";
import { startFakeUpstream } from "../../fakes/dns-upstream.ts";
import { namespace, service, startHere, zone } from "./fixture.ts";

const entries: HostsSettings["entries"] = [
  { address: "192.0.2.10", names: ["Registry.corp.test", "r.corp.test"] },
  { address: "2001:db8::10", names: ["registry.corp.test"] },
  { address: "192.0.2.11", names: ["registry.corp.test"] },
  { address: "192.0.2.66", names: [`web.dev.svc.${zone}`] },
];

async function started(hosts: HostsSettings) {
  const upstream = await startFakeUpstream((name) => ({ answers: [`${name}. 60 A 198.51.100.1`] }));
  const objects = [
    namespace("dev"),
    service("web", { clusterIP: "10.96.0.20" }),
    service("alias", { type: "ExternalName", externalName: "registry.corp.test" }),
  ];
  const { dns, at } = await startHere(objects, { upstreams: [upstream], settings: { hosts } });
  const ask = async (name: string, type = "A") => read(await sendUdp(at, queryFor(name, type)));
  const stop = () => Promise.all([dns.stop(), upstream.stop()]);
  return { dns, ask, upstream, stop };
}

test("names of the hosts list have their addresses, before all other names, and the addresses their names", async () => {
  const { ask, stop, upstream } = await started({ entries });
  const found = await ask("REGISTRY.corp.test");
  assert.deepEqual(found.answers.map(({ data, ttl }) => [data.at(-1), ttl]).sort(), [
    [10, 3600],
    [11, 3600],
  ]);
  assert.equal((await ask("registry.corp.test", "AAAA")).answers[0]?.data.length, 16);
  assert.equal((await ask(`web.dev.svc.${zone}`)).answers[0]?.data.at(-1), 66);
  const names = (await ask("10.2.0.192.in-addr.arpa", "PTR")).answers.map(({ data }) =>
    nameToText(nameOfData(data) ?? ""),
  );
  assert.deepEqual(names, ["Registry.corp.test", "r.corp.test"]);
  const nibbles = "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
  assert.equal((await ask(nibbles, "PTR")).answers.length, 1);
  assert.deepEqual(upstream.asked, []);
  await stop();
});

test("other questions about these names end there, or go on when it is set so; other names always go on", async () => {
  const { dns, ask, stop } = await started({ entries });
  const six = await ask("r.corp.test", "AAAA");
  assert.deepEqual([six.rcode, six.answers.length], [rcodes.NOERROR, 0]);
  assert.equal((await ask("other.corp.test")).answers.length, 1);
  await dns.configure({ hosts: { entries: [{ address: "2001:db8::1", names: ["r.corp.test"] }], fallthrough: true } });
  assert.equal((await ask("r.corp.test")).answers[0]?.data.at(0), 198);
  assert.equal((await ask("registry.corp.test")).answers[0]?.data.at(0), 198);
  await stop();
});

test("an ExternalName that points to a name of the list has its addresses", async () => {
  const { ask, stop } = await started({ entries });
  const { answers } = await ask(`alias.dev.svc.${zone}`);
  assert.equal(answers.length, 3);
  assert.equal(nameToText(nameOfData(answers[0]?.data ?? new Uint8Array()) ?? ""), "registry.corp.test");
  await stop();
});
