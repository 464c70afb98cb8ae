import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { silentLog } from "#base/log.ts";
import { startUserspace } from "#proxy/modes/userspace/userspace.ts";
import { createPicker } from "#proxy/modes/userspace/picker.ts";
import { compileTable } from "#routing/l4/compile.ts";
import { diffServices } from "#routing/l4/diff.ts";
import type { EndpointEntry } from "#routing/l4/table.ts";
import { manualClock } from "../../fakes/clock.ts";
import { service, slice } from "./objects.ts";

const node = { name: "node-1", addresses: [], podCidrs: [], serviceCidrs: [] };

test("a TCP service port is relayed without root, and its end with it", async () => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let text = "";
    socket.on("data", (data) => (text += data.toString())).on("end", () => socket.end(text.toUpperCase()));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const ports = [{ name: "", port: (server.address() as AddressInfo).port }];
  const full = compileTable([service("web")], [slice("web", ["127.0.0.1"], { ports })]);
  const empty = { ...compileTable([service("web")], []), revision: "2" };
  const mode = startUserspace(node, { log: silentLog });
  await mode.apply(diffServices(undefined, full));
  const [place] = mode.addresses();
  assert.equal(place?.id, "dev/web:/TCP");
  const ask = async () => {
    const socket = connect({ host: place.address, port: place.port, allowHalfOpen: true });
    socket.end("hello");
    let text = "";
    for await (const data of socket) text += String(data);
    return text;
  };
  assert.equal(await ask(), "HELLO");
  await mode.apply(diffServices(full, empty));
  await assert.rejects(ask(), { code: "ECONNRESET" });
  await mode.stop();
  await assert.rejects(ask(), { code: "ECONNREFUSED" });
  server.close();
});

test("a UDP service port is relayed, and a client's flow leaves an endpoint that goes", async () => {
  const answers = ["one", "two"].map((name) => {
    const socket = createSocket("udp4");
    return socket.on("message", (data, from) => socket.send(`${name} ${data.toString()}`, from.port, from.address));
  });
  await Promise.all(answers.map((socket) => once(socket.bind(0, "127.0.0.1"), "listening")));
  const tables = answers.map((socket) => {
    const ports = [{ name: "", protocol: "UDP" as const, port: socket.address().port }];
    return compileTable(
      [service("dns", { ports: [{ port: 53, protocol: "UDP" }] })],
      [slice("dns", ["127.0.0.1"], { ports })],
    );
  });
  const [first, second] = tables;
  assert.ok(first && second);
  const mode = startUserspace(node, { log: silentLog });
  await mode.apply(diffServices(undefined, first));
  const [place] = mode.addresses();
  const client = createSocket("udp4");
  const ask = async () => {
    client.send("hello", place?.port ?? 0, place?.address);
    const [data] = (await once(client, "message")) as [Buffer];
    return data.toString();
  };
  assert.deepEqual([await ask(), await ask()], ["one hello", "one hello"]);
  await mode.apply(diffServices(first, second));
  assert.equal(await ask(), "two hello");
  await mode.stop();
  for (const socket of [client, ...answers]) socket.close();
});

test("a node port that another program holds is a problem of that service alone", async () => {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const nodePort = (holder.address() as AddressInfo).port;
  const table = compileTable([service("a", { type: "NodePort", ports: [{ port: 80, nodePort }] }), service("b")], []);
  const mode = startUserspace(node, { log: silentLog });
  await mode.apply(diffServices(undefined, table));
  assert.deepEqual(
    mode.problems().map(({ at, code }) => [at.name, code]),
    [["a", "cannot-listen"]],
  );
  assert.deepEqual(
    mode.addresses().map(({ id, by }) => [id, by]),
    [
      ["dev/a:/TCP", "service"],
      ["dev/b:/TCP", "service"],
    ],
  );
  await mode.stop();
  holder.close();
});

test("a remembered client stays while it comes back in time, and is let go after", () => {
  const clock = manualClock();
  const endpoint = (address: string): EndpointEntry => ({
    address,
    port: 1,
    ready: true,
    serving: true,
    terminating: false,
  });
  const picker = createPicker(clock);
  picker.set({ endpoints: [endpoint("10.0.0.1"), endpoint("10.0.0.2")] }, 10);
  const pick = (client: string) => picker.pick(client, new Set())?.address;
  assert.equal(pick("x"), "10.0.0.1");
  assert.equal(pick("y"), "10.0.0.2");
  for (let use = 0; use < 3; use += 1) {
    clock.advance(9_000);
    assert.equal(pick("y"), "10.0.0.2");
  }
  assert.equal(pick("x"), "10.0.0.1");
  clock.advance(10_000);
  assert.equal(pick("y"), "10.0.0.2");
  assert.equal(pick("x"), "10.0.0.1");
});
