import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import type { Namespace } from "#api/core/namespace/kind.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { createFakeClient } from "#client/fake.ts";
import { createNameCompiler, type NameCompiler } from "#routing/names/compile.ts";
import { trimForNames } from "#routing/names/trim.ts";
import { nameToText } from "#wire/dns/name.ts";
import { flags, rcodeName, rcodes } from "#wire/dns/numbers.ts";
import type { DnsOptions } from "../../../src/dns/contract.ts";
import { startDns } from "../../../src/dns/start.ts";
import { manualClock } from "../../fakes/clock.ts";
import { queryFor, read, sendTcp, sendUdp } from "../../fakes/dns-client.ts";
import { recordText } from "../../fakes/dns-text.ts";
import { startFakeUpstream, type UpstreamAnswer } from "../../fakes/dns-upstream.ts";

/**
 * Each `.txt` file: objects in YAML, what the upstream knows, and questions with their answers, run over UDP and TCP:
 *
 *     NAME TYPE [noedns] [size=N] [udp|tcp] => RCODE FLAGS | answer | answer || authority ||| additional
 *
 * Names without a final dot are below the zone. Records are `[owner.] TTL TYPE data`, in any order; the owner is left
 * out of answers when it is the name asked for. `soa` stands for the zone's SOA in a negative answer. `count=N` for N answers.
 *
 * Options that change the packet before it is sent: `flags=HEX` `qd=N` `an=N` `ns=N` `ar=N` (words of the header), `class=N`,
 * `version=N` (EDNS), `do`, `option=HEX` (EDNS option), `cut=N` (only so many bytes), `tail=HEX` (bytes behind it). What then
 * may be expected: `silence`, or `bare RCODE` for a header alone.
 */
const zone = "cluster.local";
const soa = `${zone}. 5 SOA ns.dns.${zone}. hostmaster.${zone}. * 7200 1800 86400 5`;

let asked = 0;

for (const file of globSync(join(import.meta.dirname, "*.txt")).sort()) {
  test(`dns answers: ${basename(file, ".txt")}`, async (t) => {
    const sections = sectionsOf(readFileSync(file, "utf8"));
    const settings = parse(sections.get("settings") ?? "{}") as Partial<DnsOptions> & { upstream?: boolean };
    const objects = objectsOf(sections);
    const known = new Map((sections.get("upstream") ?? "").split("\n").flatMap(parseKnown));
    const upstream = await startFakeUpstream((name, type) => known.get(`${name} ${type}`) ?? nothingThere);
    const dns = await startDns({
      client: createFakeClient(objects),
      listen: [{ address: "127.0.0.1", port: 0 }],
      clusterDomain: zone,
      inWorker: false,
      upstreams: settings.upstream === false ? [] : [upstream],
      serviceAddresses: ["10.96.0.10"],
      ...settings,
    });
    try {
      await dns.waitFor(String(objects.length));
      for (const line of linesOf(sections.get("queries") ?? "")) {
        await t.test(line, () => runQuery(dns.addresses[0] ?? { address: "", port: 0 }, line));
      }
      for (const question of upstream.asked)
        assert.doesNotMatch(question, /(^|\.)cluster\.local /, "the own zone is never forwarded");
    } finally {
      await dns.stop();
      await upstream.stop();
    }
  });
}

test("what is kept of an object of a remote cluster makes the same names as the whole", () => {
  let names = 0;
  for (const file of globSync(join(import.meta.dirname, "*.txt"))) {
    const objects = objectsOf(sectionsOf(readFileSync(file, "utf8")));
    for (const rules of [{}, { pods: "verified", endpointPodNames: true, ignoreEmptyService: true }] as const) {
      const whole = createNameCompiler({ zone, clock: manualClock(0), ...rules });
      const trimmed = createNameCompiler({ zone, clock: manualClock(0), ...rules });
      for (const object of objects) {
        tell(whole, object);
        const trim = trimForNames[object.kind as keyof typeof trimForNames] as
          | ((of: KubeObject) => KubeObject)
          | undefined;
        tell(trimmed, trim?.(object) ?? object);
      }
      for (const each of [whole, trimmed]) each.take();
      assert.deepEqual(trimmed.table(), whole.table(), basename(file));
      names += whole.table().names.size;
    }
  }
  assert.ok(names > 100);
});

function tell(compiler: NameCompiler, object: KubeObject): void {
  if (object.kind === "Namespace") compiler.namespace({ after: object as Namespace });
  else if (object.kind === "Service") compiler.service({ after: object as Service });
  else if (object.kind === "EndpointSlice") compiler.slice({ after: object as EndpointSlice });
  else if (object.kind === "Pod") compiler.pod({ after: object as Pod });
}

function objectsOf(sections: ReadonlyMap<string, string>): KubeObject[] {
  return parseAllDocuments(sections.get("objects") ?? "")
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null);
}

test("all of DNS that the cases know", (t) => {
  t.diagnostic(`${asked} questions, each over UDP and TCP unless it says otherwise`);
  assert.ok(asked >= 250, `only ${asked} questions`);
});

async function runQuery(at: { address: string; port: number }, line: string): Promise<void> {
  asked += 1;
  const [left = "", right = ""] = line.split("=>");
  const [name = "", type = "", ...options] = left.trim().split(/\s+/);
  const size = options.includes("noedns") ? undefined : Number(optionOf(options, "size") ?? 1232);
  const query = packetFor(name.endsWith(".") ? name : name === "@" ? zone : `${name}.${zone}`, type, size, options);
  for (const transport of ["udp", "tcp"] as const) {
    if (options.includes(transport === "udp" ? "tcp" : "udp")) continue;
    const silent = right.trim() === "silence";
    const packet =
      transport === "udp" ? await sendUdp(at, query, silent ? 100 : 5_000) : (await sendTcp(at, [query], 1))[0];
    if (silent) {
      assert.equal(packet, undefined, transport);
      continue;
    }
    assert.ok(packet !== undefined, `no answer over ${transport}`);
    assert.equal(packet.readUInt16BE(0), query.readUInt16BE(0), "the id comes back");
    if (right.trim().startsWith("bare ")) {
      assert.equal(packet.length, 12);
      assert.equal(rcodeName(packet.readUInt16BE(2) & 15), right.trim().slice(5), transport);
      continue;
    }
    if (transport === "udp") assert.ok(packet.length <= Math.min(1232, Math.max(512, size ?? 512)), "fits");
    const end = queryFor(nameToText(read(packet).question?.name ?? ""), type).length;
    assert.deepEqual(packet.subarray(12, end), query.subarray(12, end), "the question comes back as it was spelled");
    assert.deepEqual(textOf(read(packet), query, right), expected(right), transport);
  }
}

function packetFor(name: string, type: string, size: number | undefined, options: readonly string[]): Buffer {
  const id = Math.floor(Math.random() * 65_536);
  const packet = queryFor(name, type, { id, size, do: options.includes("do") });
  const end = packet.length - (size === undefined ? 0 : 11);
  const change = (option: string, at: number, base = 10) => {
    const value = optionOf(options, option);
    if (value !== undefined) packet.writeUInt16BE(Number.parseInt(value, base), at);
  };
  change("flags", 2, 16);
  for (const [index, word] of ["qd", "an", "ns", "ar"].entries()) change(word, 4 + 2 * index);
  change("class", end - 2);
  const version = optionOf(options, "version");
  if (version !== undefined) packet[packet.length - 5] = Number(version);
  const option = Buffer.from(optionOf(options, "option") ?? "", "hex");
  if (option.length > 0) packet.writeUInt16BE(option.length, packet.length - 2);
  const whole = Buffer.concat([packet, option, Buffer.from(optionOf(options, "tail") ?? "", "hex")]);
  return whole.subarray(0, Number(optionOf(options, "cut") ?? whole.length));
}

/** The answer in the words of the expectation: sections sorted, and counted only where only a count is expected. */
function textOf(message: ReturnType<typeof read>, query: Buffer, right: string): string[] {
  const set = [
    ["aa", flags.AA],
    ["tc", flags.TC],
    ["ad", flags.AD],
    ["cd", flags.CD],
  ] as const;
  const head = [
    rcodeName(message.rcode),
    ...set.filter(([, bit]) => (message.flags & bit) !== 0).map(([word]) => word),
  ].join(" ");
  assert.ok(message.flags & flags.QR && message.flags & flags.RA);
  assert.equal(message.flags & flags.RD, query.readUInt16BE(2) & flags.RD, "RD comes back as it was sent");
  assert.equal(message.edns, query.readUInt16BE(10) > 0, "OPT is there exactly when it was sent");
  const texts = [message.answers, message.authorities, message.additionals].map((records, section) =>
    records.map((record) => recordText(record, section === 0 ? message.question?.name : undefined)).sort(),
  );
  const counted = /count=/.test(right);
  return [head, ...(counted ? [`count=${message.answers.length}`] : texts.map((records) => records.join(" | ")))];
}

function expected(right: string): string[] {
  const count = /count=\d+/.exec(right)?.[0];
  return count === undefined ? splitSections(right) : [right.replace(count, "").trim(), count];
}

function splitSections(right: string): string[] {
  const [before = "", additional = ""] = right.split("|||");
  const [start = "", authority = ""] = before.split("||");
  const [head = "", ...answers] = start.split("|");
  const list = (texts: readonly string[]) =>
    texts
      .map((text) => absolute(text.trim()))
      .filter((text) => text !== "")
      .sort()
      .join(" | ");
  return [head.trim(), list(answers), list(authority.split("|")), list(additional.split("|"))];
}

/** `@` behind a name stands for the zone. */
function absolute(text: string): string {
  return text === "soa" ? soa : text.replaceAll(/(?<=\.)@/g, `${zone}.`);
}

function parseKnown(line: string): [string, UpstreamAnswer][] {
  const [left = "", right] = line.split("=>");
  if (right === undefined) return [];
  const [name = "", type = ""] = left.trim().split(/\s+/);
  const [before = "", authority = ""] = right.split("||");
  const [rcode = "", ...answers] = before.split("|").map((part) => part.trim());
  const code = rcodes[rcode as keyof typeof rcodes];
  const authorities = authority.trim() === "" ? [] : [authority.trim()];
  return [[`${name === "." ? name : name.replace(/\.$/, "")} ${type}`, { rcode: code, answers, authorities }]];
}

const nothingThere: UpstreamAnswer = {
  rcode: rcodes.NXDOMAIN,
  authorities: ["test. 900 SOA ns.test. admin.test. 1 1 1 1 60"],
};

function optionOf(options: readonly string[], name: string): string | undefined {
  return options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

function sectionsOf(text: string): Map<string, string> {
  const sections = new Map<string, string>();
  for (const part of text.split(/^== /m).slice(1)) {
    const end = part.indexOf("\n");
    sections.set(part.slice(0, end).trim(), part.slice(end + 1));
  }
  return sections;
}
