import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import { renderBody } from "#wire/dns/body.ts";
import { parseMessage } from "#wire/dns/message.ts";
import { lowerName, nameFromText, nameToText, readName } from "#wire/dns/name.ts";
import { parseQuery } from "#wire/dns/query.ts";
import { writeResponse } from "#wire/dns/response.ts";
import { record, type ResourceRecord } from "#wire/dns/record.ts";
import { outSize, silence, type Source } from "../../../src/dns/answer.ts";
import { createDnsServer } from "../../../src/dns/server.ts";
import { queryFor } from "../../fakes/dns-client.ts";

const label = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const name = fc
  .array(label, { maxLength: 6 })
  .map((labels) => labels.map((text) => String.fromCharCode(text.length) + text).join(""));

function serverWithNames() {
  const server = createDnsServer(
    { zone: "cluster.local", upstreams: [], serviceAddresses: [] },
    { log: silentLog, clock: systemClock },
  );
  const web = "web.dev.svc.cluster.local";
  server.apply({
    names: [
      ["cluster.local", {}],
      ["svc.cluster.local", {}],
      ["dev.svc.cluster.local", {}],
      [web, { a: ["10.96.0.1", "10.96.0.2"], srv: [{ target: web, port: 80, priority: 0, weight: 100 }] }],
    ],
    reverse: [["1.0.96.10.in-addr.arpa", { ptr: [web] }]],
    serial: 1,
    revision: "1",
  });
  return server;
}

/** Well-formed questions with some bytes changed, lost or added: near enough to be read far, wrong enough to hurt. */
const mutated = fc
  .record({
    name: fc.constantFrom("web.dev.svc.cluster.local", "dev.svc.cluster.local", "1.0.96.10.in-addr.arpa", "x.test"),
    type: fc.constantFrom("A", "AAAA", "SRV", "PTR", "ANY", "SOA", "TXT"),
    size: fc.option(fc.integer({ min: 0, max: 65_535 }), { nil: undefined }),
    changes: fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 }),
    cut: fc.option(fc.nat(80), { nil: undefined }),
    tail: fc.uint8Array({ maxLength: 20 }),
  })
  .map(({ name, type, size, changes, cut, tail }) => {
    const packet = queryFor(name, type, { size });
    for (const [at, value] of changes) if (at < packet.length) packet[at] = value;
    return Buffer.concat([packet.subarray(0, cut ?? packet.length), tail]);
  });

test("whatever bytes come, the server does not throw, answers only questions, and stays small", async () => {
  const server = serverWithNames();
  const out = Buffer.alloc(outSize);
  let port = 0;
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), fc.boolean(), (packet, tcp) => {
      port += 1;
      const source: Source = { transport: tcp ? "tcp" : "udp", family: 4, address: `10.0.${port >> 8}.1`, port };
      const length = server.answer(packet, source, out, () => assert.fail("nobody to ask"));
      const isAnswer = packet.length >= 12 && ((packet[2] ?? 0) & 0x80) !== 0;
      if (packet.length < 12 || isAnswer) return assert.equal(length, silence);
      if (length === silence) return;
      assert.ok(length >= 12 && length <= (tcp ? 65_535 : 1232));
      const answer = out.subarray(0, length);
      assert.equal(answer.readUInt16BE(0), Buffer.from(packet).readUInt16BE(0));
      const message = parseMessage(answer);
      assert.ok(message, `unreadable answer to ${Buffer.from(packet).toString("hex")}`);
      if (parseQuery(packet).kind !== "query") assert.equal(length, 12);
    }),
    { numRuns: 3_000 },
  );
  await server.stop();
});

test("answers of upstreams, whole or damaged, are read or refused, and never take long", () => {
  const out = Buffer.alloc(outSize);
  const packet = queryFor("www.example.test", "A");
  const query = parseQuery(packet);
  assert.ok(query.kind === "query");
  const owner = query.name;
  const answers = [
    record(owner, 5, 60, Buffer.from("\x01a\x07example\x04test\0", "latin1")),
    record("\x01a\x07example\x04test", 1, 60, Buffer.from([192, 0, 2, 1])),
    record(owner, 15, 60, Buffer.from("\0\x0a\x04mail\x07example\x04test\0", "latin1")),
  ];
  const head = { rcode: 0, authoritative: false };
  const whole = out.subarray(0, writeResponse(out, packet, query, head, renderBody(owner, { answers }), 512));
  assert.equal(parseMessage(whole)?.answers.length, 3);
  const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.oneof(fc.nat(255), fc.constant(0xc0))), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(damage, fc.nat(whole.length), (changes, cut) => {
      const damaged = Buffer.from(whole);
      for (const [at, value] of changes) damaged[at] = value;
      parseMessage(damaged);
      parseMessage(damaged.subarray(0, cut));
    }),
    { numRuns: 5_000 },
  );
});

test("names survive text and wire, and compare by ASCII case alone", () => {
  fc.assert(
    fc.property(name, (wire) => {
      assert.equal(nameFromText(nameToText(wire)), wire);
      const read = readName(Buffer.from(`${wire}\0`, "latin1"), 0);
      assert.equal(read?.name, wire);
      assert.equal(lowerName(lowerName(wire)), lowerName(wire));
      assert.equal(lowerName(wire).length, wire.length);
    }),
  );
});

test("what is written with compression is read back as it was, in any limit whole records", () => {
  const names = ["web.dev.svc.cluster.local", "WEB.dev.svc.cluster.local", "db.dev.svc.cluster.local", "a.test"];
  const known = fc.oneof(
    fc.constantFrom(...names).map((text) => nameFromText(text) ?? ""),
    name,
  );
  const anyRecord: fc.Arbitrary<ResourceRecord> = fc.oneof(
    fc.tuple(known, fc.uint8Array({ minLength: 4, maxLength: 4 })).map(([owner, data]) => record(owner, 1, 30, data)),
    fc
      .tuple(known, known, fc.constantFrom(2, 5, 12))
      .map(([owner, target, type]) => record(owner, type, 7, Buffer.from(`${target}\0`, "latin1"))),
    fc
      .tuple(known, known)
      .map(([owner, target]) => record(owner, 33, 7, Buffer.from(`\0\x01\0\x02\0\x03${target}\0`, "latin1"))),
    fc.tuple(known, fc.uint8Array({ maxLength: 40 })).map(([owner, data]) => record(owner, 16, 9, data)),
  );
  const out = Buffer.alloc(outSize);
  fc.assert(
    fc.property(fc.array(anyRecord, { maxLength: 30 }), fc.integer({ min: 512, max: 4_000 }), (answers, limit) => {
      const packet = queryFor("web.dev.svc.cluster.local", "A");
      const query = parseQuery(packet);
      assert.ok(query.kind === "query");
      const body = renderBody(query.name, { answers });
      const head = { rcode: 0, authoritative: true };
      const length = writeResponse(out, packet, query, head, body, limit);
      const message = parseMessage(out.subarray(0, length));
      assert.ok(message !== undefined && length <= limit);
      const whole = message.answers.length === answers.length;
      assert.equal((message.flags & 0x200) === 0, whole);
      for (const [index, read] of message.answers.entries()) {
        const written = answers[index];
        assert.equal(lowerName(read.name), lowerName(written?.name ?? "?"));
        assert.equal(read.type, written?.type);
        const text = (data: Uint8Array | undefined) => lowerName(Buffer.from(data ?? []).toString("latin1"));
        if (read.type === 1 || read.type === 16) assert.deepEqual([...read.data], [...(written?.data ?? [])]);
        else assert.equal(text(read.data), text(written?.data));
      }
    }),
    { numRuns: 500 },
  );
});
