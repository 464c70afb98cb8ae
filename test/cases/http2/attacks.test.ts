import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { flag, frameType } from "#wire/http2/frame.ts";
import { dialHttp2, frame, type Http2Peer } from "../../features/dataplane/http2-peer.ts";
import { rawEndpoint, simple, startPlane } from "../../features/dataplane/harness.ts";

// A case is `# name`, lines `> frames` of a client, `= event` that must follow, `@ none` when no endpoint may have seen
// anything, `~ pattern` for the head that one saw. `! raw` leaves the client's own SETTINGS out.
//
//   HEADERS stream end|open METHOD PATH name=value...   DATA stream text [end]   FRAME type flags stream hex...
//   HEAD length type flags stream (no payload)          :fields name=value... and :block METHOD PATH as payloads of FRAME, +hex behind them
//   200x FRAME repeats one; `{9} A {n} ; B {n}` repeats all with the streams 1, 3, 5...
//   `{n}` alone is as many bytes of x; `%HH` is a byte.
const text = readFileSync(new URL("attacks.txt", import.meta.url), "utf8");

const plain = (part: string) =>
  part
    .replace(/\{(\d+)\}/g, (_, count: string) => "x".repeat(Number(count)))
    .replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));

function fieldsOf(parts: readonly string[]): (readonly [string, string])[] {
  return parts.flatMap((part) => {
    const many = /^\{(\d+)\}(.+)=(\d+)$/.exec(part);
    if (many !== null) {
      const [, count, name = "", length] = many;
      return Array.from({ length: Number(count) }, (_, at) => [`${name}${at}`, "v".repeat(Number(length))] as const);
    }
    const split = part.indexOf("=", 1) === -1 ? 0 : part.startsWith("=") ? 0 : part.indexOf("=");
    return [[plain(part.slice(0, split)), plain(part.slice(split + 1))] as const];
  });
}

const target = (method: string, path: string) =>
  [
    [":method", method],
    [":scheme", "http"],
    [":path", plain(path)],
    [":authority", "example.com"],
  ] as const;

function render(peer: Http2Peer, line: string): Buffer {
  const [word = "", ...parts] = line.trim().split(" ");
  const number = (at: number) => Number(parts[at]);
  if (word === "HEADERS") {
    const block = peer.block([...target(parts[2] ?? "", parts[3] ?? ""), ...fieldsOf(parts.slice(4))]);
    const last = parts[1] === "end" ? flag.endStream : 0;
    const pieces = Math.max(1, Math.ceil(block.length / 16_384));
    return Buffer.concat(
      Array.from({ length: pieces }, (_, at) => {
        const ends = at === pieces - 1 ? flag.endHeaders : 0;
        const part = block.subarray(at * 16_384, (at + 1) * 16_384);
        return at === 0
          ? frame(frameType.headers, ends | last, number(0), part)
          : frame(frameType.continuation, ends, number(0), part);
      }),
    );
  }
  if (word === "DATA") {
    const last = parts[2] === "end" ? flag.endStream : 0;
    return frame(frameType.data, last, number(0), Buffer.from(plain(parts[1] ?? ""), "latin1"));
  }
  if (word === "HEAD") {
    const head = frame(number(1), number(2), number(3));
    head.writeUIntBE(number(0), 0, 3);
    return head;
  }
  assert.equal(word, "FRAME", line);
  const rest = parts.slice(3);
  const payload: Buffer[] = [];
  for (const [at, part] of rest.entries()) {
    if (part === ":fields") payload.push(peer.block(fieldsOf(rest.slice(at + 1))));
    if (part === ":block") payload.push(peer.block(target(rest[at + 1] ?? "", rest[at + 2] ?? "")));
    if (part.startsWith(":")) {
      payload.push(...rest.filter((part) => part.startsWith("+")).map((part) => Buffer.from(part.slice(1), "hex")));
      break;
    }
    payload.push(Buffer.from(part, "hex"));
  }
  return frame(number(0), number(1), number(2), Buffer.concat(payload));
}

function renderLine(peer: Http2Peer, line: string): Buffer {
  const each = /^\{(\d+)\} (.+)$/.exec(line);
  if (each !== null) {
    const [, count, body = ""] = each;
    const turns = Array.from({ length: Number(count) }, (_, at) => body.replaceAll("{n}", String(1 + 2 * at)));
    return Buffer.concat(turns.flatMap((turn) => turn.split(" ; ").map((one) => renderLine(peer, one))));
  }
  const times = /^(\d+)x (.+)$/.exec(line);
  if (times === null) return render(peer, line);
  const one = render(peer, times[2] ?? "");
  return Buffer.concat(Array.from({ length: Number(times[1]) }, () => one));
}

for (const part of text.split(/^# /m).slice(2)) {
  const [name = "", ...lines] = part.split("\n");
  const of = (mark: string) => lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(2));
  test(`HTTP/2: ${name}`, { timeout: 20_000 }, async (t) => {
    const { plane, port } = await startPlane(t);
    let seen = "";
    const endpoint = await rawEndpoint(t, (socket) => {
      socket.on("data", (bytes) => {
        seen += bytes.toString("latin1");
        if (!seen.includes(" /wait ")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      });
    });
    await plane.apply(simple([endpoint]));
    const peer = await dialHttp2(t, port, [], !of("! ").includes("raw"));
    for (const line of of("> ")) peer.send(renderLine(peer, line));
    const [wanted = ""] = of("= ");
    assert.notEqual(wanted, "");
    await peer.seen(wanted);
    assert.ok(peer.events.includes(wanted), `${wanted} is not among ${peer.events.slice(0, 20).join(", ")}`);
    if (wanted.startsWith("GOAWAY")) await peer.until(() => peer.closed);
    if (of("@ ").includes("none")) assert.equal(seen, "");
    for (const pattern of of("~ ")) assert.match(seen, new RegExp(pattern));
    assert.doesNotMatch(seen, /evil|late|X-Upper/);
  });
}
