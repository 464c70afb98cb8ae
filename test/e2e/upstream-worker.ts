import { createSocket } from "node:dgram";
import { parentPort, workerData } from "node:worker_threads";
import { renderBody } from "#wire/dns/body.ts";
import { nameFromText, nameToText } from "#wire/dns/name.ts";
import { rcodes, types } from "#wire/dns/numbers.ts";
import { parseQuery } from "#wire/dns/query.ts";
import { nameData, record, type ResourceRecord } from "#wire/dns/record.ts";
import { writeResponse } from "#wire/dns/response.ts";
import type { UpstreamNames } from "./upstream.ts";

// A DNS server that knows a handful of names, aliases included, and answers NXDOMAIN for all others.
const names = workerData as UpstreamNames;
const socket = createSocket("udp4");
const out = Buffer.alloc(4096);

function answersFor(text: string): ResourceRecord[] {
  const entry = names[text];
  const owner = nameFromText(text) ?? "";
  if (entry === undefined) return [];
  if (entry.cname !== undefined) {
    const alias = record(owner, types.CNAME, entry.ttl, nameData(nameFromText(entry.cname) ?? ""));
    return [alias, ...answersFor(entry.cname)];
  }
  return (entry.a ?? []).map((a) => record(owner, types.A, entry.ttl, Uint8Array.from(a.split(".").map(Number))));
}

socket.on("message", (packet, { address, port }) => {
  const query = parseQuery(packet);
  if (query.kind !== "query") return;
  const text = nameToText(query.name).replace(/\.$/, "");
  const known = names[text] !== undefined;
  const answers =
    query.type === types.A ? answersFor(text) : answersFor(text).filter(({ type }) => type === types.CNAME);
  const head = { rcode: known ? rcodes.NOERROR : rcodes.NXDOMAIN, authoritative: false };
  const length = writeResponse(out, packet, query, head, renderBody(query.name, { answers }), 512);
  socket.send(out.subarray(0, length), port, address);
});
socket.bind(53, "127.0.0.53", () => parentPort?.postMessage("listening"));
