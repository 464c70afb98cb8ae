import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { flag, frameType } from "#wire/http2/frame.ts";
import { dialHttp2, frame, type Http2Peer } from "../../features/dataplane/http2-peer.ts";
import { dial, rawEndpoint, simple, startPlane } from "../../features/dataplane/harness.ts";

// A case is `# name` and, in their order, lines `> frames` of a client and `= event` that must follow; then `- event`
// that must not have come, `@ none` when no endpoint may have seen anything, `~ pattern` for the head that one saw.
// `! raw` leaves the client's own SETTINGS out, `! bytes TEXT` sends this in place of the preface.
//
//   HEADERS stream end|open METHOD PATH name=value...   DATA stream text [end]   FRAME type flags stream hex...
//   HEAD length type flags stream (no payload)          :fields name=value... and :block METHOD PATH as payloads of FRAME, +hex behind them
//   BYTES hex...                                        what is no frame
//   200x FRAME repeats one; `{9} A {n} ; B {n}` repeats all with the streams 1, 3, 5...
//   `{n}` alone is as many bytes of x; `%HH` is a byte.
//
// The endpoint answers 200 at once, `/body` with five bytes, and `/wait` never.

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
  if (word === "BYTES") return Buffer.from(parts.join(""), "hex");
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

async function startWorld(t: TestContext): Promise<{ readonly port: number; readonly seen: () => string }> {
  const { plane, port } = await startPlane(t);
  let seen = "";
  const endpoint = await rawEndpoint(t, (socket) => {
    socket.on("data", (bytes) => {
      seen += bytes.toString("latin1");
      const body = seen.includes(" /body ") ? "hello" : "";
      if (!seen.includes(" /wait ")) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
  });
  await plane.apply(simple([endpoint]));
  return { port, seen: () => seen };
}

/** Sends and waits line by line; what stands together leaves together. */
async function converse(peer: Http2Peer, lines: readonly string[]): Promise<void> {
  let heard = 0;
  let frames: Buffer[] = [];
  for (const line of lines) {
    if (line.startsWith("> ")) frames.push(renderLine(peer, line.slice(2)));
    if (!line.startsWith("= ")) continue;
    peer.send(...frames);
    frames = [];
    const wanted = line.slice(2);
    const at = () => peer.events.indexOf(wanted, heard);
    await peer.until(() => at() !== -1);
    assert.notEqual(at(), -1, `${wanted} is not among ${peer.events.slice(heard, heard + 20).join(", ")}`);
    heard = at() + 1;
    if (wanted.startsWith("GOAWAY")) await peer.until(() => peer.closed);
  }
}

for (const file of ["attacks", "h2spec"]) {
  const text = readFileSync(new URL(`${file}.txt`, import.meta.url), "utf8");
  for (const part of text.split(/^# /m).slice(2)) {
    const [name = "", ...lines] = part.split("\n");
    const of = (mark: string) => lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(2));
    test(`HTTP/2: ${name}`, { timeout: 20_000 }, async (t) => {
      const { port, seen } = await startWorld(t);
      assert.notEqual(of("= ").length, 0);
      const [bytes] = of("! ").filter((how) => how.startsWith("bytes "));
      if (bytes !== undefined) {
        const client = await dial(t, port);
        client.send(bytes.slice(6).replaceAll("\\r", "\r").replaceAll("\\n", "\n"));
        await client.end();
        assert.equal(seen(), "");
        return;
      }
      const peer = await dialHttp2(t, port, [], !of("! ").includes("raw"));
      await converse(peer, lines);
      for (const unwanted of of("- ")) assert.ok(!peer.events.includes(unwanted), unwanted);
      if (of("@ ").includes("none")) assert.equal(seen(), "");
      for (const pattern of of("~ ")) assert.match(seen(), new RegExp(pattern));
      assert.doesNotMatch(seen(), /evil|late|X-Upper/);
    });
  }
}

test("every case of h2spec has its line", () => {
  const text = readFileSync(new URL("h2spec.txt", import.meta.url), "utf8");
  const names = [...text.matchAll(/^# ((generic|http2|hpack)\/[\d.]+\/\d+) /gm)];
  const count = (part: string) => names.filter(([, , group]) => group === part).length;
  assert.equal(new Set(names.map(([, name]) => name)).size, 146);
  assert.deepEqual([count("generic"), count("http2"), count("hpack")], [44, 94, 8]);
});
