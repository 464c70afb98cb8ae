import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import { silentLog, type Log } from "#base/log.ts";
import { rcodes } from "#wire/dns/numbers.ts";
import { chooseUpstreams, parseNameservers } from "../../../src/dns/forward/upstreams.ts";
import { queryFor, read, sendUdp } from "../../fakes/dns-client.ts";
import { namespace, startHere } from "./fixture.ts";

test("a server that lists itself as its upstream leaves itself out", async () => {
  const { dns, at } = await startHere([namespace("dev")]);
  const port = at.port;
  await dns.stop();
  const again = await startHere([namespace("dev")], { listen: [at], upstreams: [{ address: "127.0.0.1", port }] });
  assert.equal(read(await sendUdp(at, queryFor("www.test", "A"))).rcode, rcodes.REFUSED);
  await again.dns.stop();
});

test("an upstream that leads back here is found and left out", async () => {
  const relay = createSocket("udp4");
  await new Promise<void>((resolve) => relay.bind(0, "127.0.0.1", resolve));
  const found = new EventEmitter();
  const log: Log = { ...silentLog, error: (fields) => found.emit("loop", fields), child: () => log };
  const told = once(found, "loop");
  // The question for loops may come before `at` is known here: it waits in the relay until then.
  const waiting = Promise.withResolvers<{ address: string; port: number }>();
  relay.on("message", (packet, from) => {
    void waiting.promise
      .then((at) => sendUdp(at, packet, 300))
      .then((answer) => answer && relay.send(answer, from.port, from.address));
  });
  const { dns, at } = await startHere([namespace("dev")], {
    upstreams: [{ address: "127.0.0.1", port: relay.address().port }],
    log,
  });
  waiting.resolve(at);
  assert.deepEqual(await told, [{ upstream: `127.0.0.1:${relay.address().port}` }]);
  assert.equal(read(await sendUdp(at, queryFor("www.test", "A"))).rcode, rcodes.REFUSED);
  await dns.stop();
  await new Promise<void>((resolve) => relay.close(() => resolve()));
});

test("upstreams come from nameserver lines, each once, without those that lead back here", () => {
  const text = [
    "# nameserver 192.0.2.99",
    "search example.com",
    "nameserver 192.0.2.1",
    "  nameserver\t192.0.2.2 trailing",
    "nameserver 192.0.2.1",
    "nameserver",
    "nameserver not-an-address",
    "nameserver 2001:db8::1",
    "nameserver 10.96.0.10",
    "nameserver 127.0.0.1",
    "nameserver 172.30.0.254",
    "options ndots:5",
  ].join("\n");
  const listen = [{ address: "0.0.0.0", port: 53 }];
  const own = { listen, service: ["10.96.0.10"], local: ["172.30.0.254"] };
  const { upstreams, refused } = chooseUpstreams(parseNameservers(text), own);
  assert.deepEqual(
    upstreams.map(({ address }) => address),
    ["192.0.2.1", "192.0.2.2", "2001:db8::1"],
  );
  assert.deepEqual(
    refused.map(({ upstream }) => upstream.address),
    ["10.96.0.10", "127.0.0.1", "172.30.0.254"],
  );
});
