import assert from "node:assert/strict";
import { once } from "node:events";
import { duplexPair, type Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { headerDictionary } from "#node/streams/spdy/dictionary.ts";
import {
  createFrameReader,
  frameType,
  renderControl,
  renderData,
  SpdyError,
  uint32,
} from "#node/streams/spdy/frame.ts";
import { startSpdy, type SpdyStream } from "#node/streams/spdy/session.ts";

test("the dictionary is the one every SPDY/3 peer has", () => {
  let [a, b] = [1, 0];
  for (const byte of headerDictionary) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  // The Adler-32 that zlib streams of SPDY/3 name their dictionary by.
  assert.equal((b * 65_536 + a) >>> 0, 0xe3c6a7c2);
  assert.equal(headerDictionary.length, 1423);
});

function connect(): { client: ReturnType<typeof startSpdy>; opened: SpdyStream[]; sockets: [Duplex, Duplex] } {
  const sockets = duplexPair();
  const opened: SpdyStream[] = [];
  startSpdy(sockets[1], {
    side: "server",
    onStream(stream) {
      opened.push(stream);
      stream.pipe(stream);
    },
  });
  return { client: startSpdy(sockets[0], { side: "client", onStream: () => {} }), opened, sockets };
}

test("streams carry their headers, and bytes both ways, side by side", async () => {
  const { client, opened } = connect();
  const names = ["error", "data", "data"];
  const streams = await Promise.all(
    names.map((streamtype, index) => client.open(new Map(Object.entries({ streamtype, port: `${8000 + index}` })))),
  );
  const big = "x".repeat(300_000);
  const answers = streams.map((stream) => text(stream));
  for (const [index, stream] of streams.entries()) stream.end(index === 2 ? big : `to ${index}`);
  assert.deepEqual(await Promise.all(answers), ["to 0", "to 1", big]);
  assert.deepEqual(
    opened.map(({ headers }) => [headers.get("streamtype"), headers.get("port")]),
    [
      ["error", "8000"],
      ["data", "8001"],
      ["data", "8002"],
    ],
  );
  client.close();
  await client.closed;
});

test("a reset of one stream leaves the others alone", async () => {
  const { client, opened } = connect();
  const [first, second] = [await client.open(new Map()), await client.open(new Map())];
  first.write("a");
  await once(first, "data");
  const gone = once(opened[0] as SpdyStream, "close");
  first.destroy();
  await gone;
  const answer = text(second);
  second.end("still here");
  assert.equal(await answer, "still here");
  client.close();
});

test("bytes that are no SPDY/3 end the connection", async () => {
  const { sockets, client } = connect();
  sockets[0].write(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
  sockets[0].write(renderControl(frameType.synStream, 0, Buffer.alloc(10)));
  await client.closed;
  assert.ok(sockets[1].destroyed);
});

test("frames are found wherever the chunks are cut", () => {
  const bytes = Buffer.concat([renderData(3, Buffer.from("hello"), true), renderControl(frameType.ping, 0, uint32(1))]);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const read = createFrameReader();
    const frames = [...read(bytes.subarray(0, cut)), ...read(bytes.subarray(cut))];
    assert.deepEqual(
      frames.map((frame) =>
        frame.kind === "data" ? `${frame.stream} ${String(frame.payload)} ${frame.fin}` : frame.type,
      ),
      ["3 hello true", frameType.ping],
    );
  }
});

test("a frame longer than any client sends is refused before it is kept", () => {
  const read = createFrameReader();
  assert.throws(() => read(Buffer.from([0, 0, 0, 1, 0, 0xff, 0xff, 0xff])), SpdyError);
});
