import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { rcodes } from "#wire/dns/numbers.ts";
import type { RunningDns } from "../../../src/dns/contract.ts";
import { queryFor, read, sendTcp, sendUdp } from "../../fakes/dns-client.ts";
import { namespace, service, startHere } from "./fixture.ts";

let dns: RunningDns;
let at: { address: string; port: number };
before(async () => {
  ({ dns, at } = await startHere([namespace("dev"), service("web", { clusterIP: "10.96.0.20" })]));
});
after(() => dns.stop());

const good = () => queryFor("web.dev.svc.cluster.local", "A", { id: 0xbeef });
const withWord = (at: number, value: number) => {
  const packet = good();
  packet.writeUInt16BE(value, at);
  return packet;
};
const questionOnly = 12 + "web.dev.svc.cluster.local".length + 2 + 4;

const bare: readonly [what: string, packet: Buffer, rcode: number][] = [
  ["no question", withWord(4, 0), rcodes.FORMERR],
  ["two questions", withWord(4, 2), rcodes.FORMERR],
  ["two answers", withWord(6, 2), rcodes.FORMERR],
  ["two authorities", withWord(8, 2), rcodes.FORMERR],
  ["three additionals", withWord(10, 3), rcodes.FORMERR],
  ["a record that is not there", withWord(10, 1), rcodes.FORMERR],
  ["a question cut short", good().subarray(0, 20), rcodes.FORMERR],
  ["a question without class", good().subarray(0, questionOnly - 2), rcodes.FORMERR],
  [
    "a name that points into the header",
    Buffer.concat([good().subarray(0, 12), Buffer.from("c00000010001", "hex")]),
    rcodes.FORMERR,
  ],
  [
    "a name that points to itself",
    Buffer.concat([good().subarray(0, 12), Buffer.from("c00c00010001", "hex")]),
    rcodes.FORMERR,
  ],
  [
    "a label of 64 bytes",
    Buffer.concat([good().subarray(0, 12), Buffer.from([64]), Buffer.alloc(64, 97), Buffer.from([0, 0, 1, 0, 1])]),
    rcodes.FORMERR,
  ],
  [
    "a name of 256 bytes",
    Buffer.concat([
      good().subarray(0, 12),
      ...Array.from({ length: 4 }, () => Buffer.concat([Buffer.from([63]), Buffer.alloc(63, 97)])),
      Buffer.from([0, 0, 1, 0, 1]),
    ]),
    rcodes.FORMERR,
  ],
  ["opcode STATUS", withWord(2, 0x1000), rcodes.NOTIMP],
  ["opcode UPDATE", withWord(2, 0x2800), rcodes.NOTIMP],
  ["opcode NOTIFY", withWord(2, 0x2000), rcodes.REFUSED],
];

for (const [what, packet, rcode] of bare) {
  test(`${what} gets a bare header with code ${rcode}, over UDP and TCP`, async () => {
    for (const answer of [await sendUdp(at, packet), (await sendTcp(at, [packet]))[0]]) {
      assert.equal(answer?.length, 12);
      assert.equal(answer?.readUInt16BE(0), 0xbeef);
      assert.equal((answer?.readUInt16BE(2) ?? 0) & 0x800f, 0x8000 | rcode);
    }
  });
}

test("what is too short, or an answer itself, gets silence: the next question on the same socket is the first answered", async () => {
  for (const packet of [Buffer.alloc(0), Buffer.alloc(11), withWord(2, 0x8180)]) {
    assert.equal(await sendUdp(at, packet, 60), undefined);
    assert.deepEqual(await sendTcp(at, [packet], 1), []);
  }
});

test("classes other than IN are refused", async () => {
  for (const qclass of [3, 4, 254, 255]) {
    const packet = withWord(questionOnly - 2, qclass);
    assert.equal(read(await sendUdp(at, packet)).rcode, rcodes.REFUSED);
  }
});

test("bytes after the last record are let pass", async () => {
  const answer = read(await sendUdp(at, Buffer.concat([good(), Buffer.from("garbage")])));
  assert.equal(answer.answers.length, 1);
});

test("EDNS of another version gets BADVERS and no answer", async () => {
  const packet = queryFor("web.dev.svc.cluster.local", "A", { size: 1232 });
  packet[packet.length - 5] = 1;
  const answer = read(await sendUdp(at, packet));
  assert.equal(answer.rcode, rcodes.BADVERS);
  assert.equal(answer.answers.length, 0);
  assert.equal(answer.edns, true);
});

test("two OPT records are malformed", async () => {
  const packet = queryFor("web.dev.svc.cluster.local", "A", { size: 1232 });
  const twice = Buffer.concat([packet, packet.subarray(-11)]);
  twice.writeUInt16BE(2, 10);
  assert.equal(read(await sendUdp(at, twice)).rcode, rcodes.FORMERR);
});

test("an answer has OPT exactly when the question had; DO comes back, options do not", async () => {
  assert.equal(read(await sendUdp(at, good())).edns, false);
  const packet = queryFor("web.dev.svc.cluster.local", "A", { size: 4000, do: true });
  const cookie = Buffer.concat([packet, Buffer.from("000a00080102030405060708", "hex")]);
  cookie.writeUInt16BE(12, packet.length - 2);
  const answer = await sendUdp(at, cookie);
  assert.equal(answer?.subarray(-11).toString("hex"), "0000290fa0000080000000");
});

test("one source gets only so many complaints a second", async () => {
  const { at, dns } = await startHere([namespace("dev")]);
  const packet = withWord(4, 0);
  let answered = 0;
  while (answered < 1000 && (await sendUdp(at, packet, 100)) !== undefined) answered += 1;
  assert.ok(answered < 500, `${answered} answers`);
  assert.ok(((await dns.counters()).dropped["malformed"] ?? 0) > 0);
  await dns.stop();
});
