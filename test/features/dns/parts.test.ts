import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeClient } from "#client/fake.ts";
import type { Service } from "#api/core/service/kind.ts";
import { rcodes } from "#wire/dns/numbers.ts";
import { startDns } from "../../../src/dns/start.ts";
import { queryFor, read, sendUdp } from "../../fakes/dns-client.ts";
import { anyPort, namespace, service, slice, zone } from "./fixture.ts";

const count = 1_100;
const addressOf = (index: number) => `10.96.${index >> 8}.${index & 255}`;

for (const inWorker of [false, true]) {
  test(`what changes while many names go to ${inWorker ? "a worker" : "this thread"} in parts is answered as well`, async () => {
    const services = Array.from({ length: count }, (_, at) => service(`web-${at}`, { clusterIP: addressOf(at) }));
    const client = createFakeClient([namespace("dev"), ...services, slice("web-0", ["10.244.0.1"])]);
    let parts = 0;
    let changes: Promise<{ metadata: { resourceVersion?: string } }> | undefined;
    const change = async () => {
      await client.delete("Service", { namespace: "dev", name: "web-0" });
      await client.create("Service", service("late", { clusterIP: "10.96.200.1" }) as Service);
      await client.create("Namespace", namespace("other"));
      return client.patch(
        "Service",
        { namespace: "dev", name: `web-${count - 1}` },
        { spec: { clusterIP: "10.96.200.2", clusterIPs: ["10.96.200.2"] } },
      );
    };
    let configured: Promise<void> | undefined;
    const onParts = async () => {
      parts += 1;
      configured ??= (await started).configure({ ttlSeconds: 7 });
      await (changes ??= change());
    };
    const started = startDns({ client, listen: anyPort, clusterDomain: zone, inWorker, onParts });
    const dns = await started;
    const at = dns.addresses[0] ?? assert.fail("no listener");
    const ask = async (name: string, type = "A") => read(await sendUdp(at, queryFor(name, type)));
    await dns.waitFor("1");
    await configured;
    assert.equal(parts, 1);
    await dns.waitFor((await changes)?.metadata.resourceVersion ?? "");
    assert.equal((await ask(`web-0.dev.svc.${zone}`)).rcode, rcodes.NXDOMAIN);
    assert.equal((await ask("0.0.96.10.in-addr.arpa", "PTR")).answers.length, 0);
    assert.equal((await ask(`other.svc.${zone}`)).rcode, rcodes.NOERROR);
    for (const [name, last] of [
      ["late", 1],
      [`web-${count - 1}`, 2],
    ] as const)
      assert.deepEqual([...((await ask(`${name}.dev.svc.${zone}`)).answers[0]?.data ?? [])], [10, 96, 200, last]);
    for (let index = 1; index < count - 1; index += 7) {
      const [answer] = (await ask(`web-${index}.dev.svc.${zone}`)).answers;
      assert.deepEqual([...(answer?.data ?? [])], [10, 96, index >> 8, index & 255]);
      assert.equal(answer?.ttl, 7);
    }
    await dns.stop();
  });
}
