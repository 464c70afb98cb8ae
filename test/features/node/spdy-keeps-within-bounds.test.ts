import assert from "node:assert/strict";
import { once } from "node:events";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { frameType, renderControl, uint32 } from "#node/streams/spdy/frame.ts";
import { startSpdy, type SpdyStream } from "#node/streams/spdy/session.ts";

test("a client that asks without end and takes no answer is not read from any more", async () => {
  const [client, server] = duplexPair();
  const session = startSpdy(server, { side: "server", onStream: () => {} });
  const pings = Buffer.concat(
    Array.from({ length: 1000 }, (_, at) => renderControl(frameType.ping, 0, uint32(at * 2 + 1))),
  );
  for (let round = 0; round < 200 && !client.writableNeedDrain; round += 1) {
    client.write(pings);
    await setImmediate();
  }
  assert.ok(client.writableNeedDrain, "two hundred thousand pings were taken from a client that reads nothing");
  assert.ok(server.writableLength < 1 << 20);
  // Whoever begins to read is served again.
  client.resume();
  await once(client, "drain");
  client.destroy();
  server.destroy();
  await session.closed;
});

test("a stream that nobody reads holds the connection up until it is gone", async () => {
  const [near, far] = duplexPair();
  const opened: SpdyStream[] = [];
  const session = startSpdy(far, { side: "server", onStream: (stream) => opened.push(stream) });
  const client = startSpdy(near, { side: "client", onStream: () => {} });
  const [stuck, other] = [await client.open(new Map()), await client.open(new Map())];
  // Headers are unpacked on another thread.
  for (let round = 0; round < 100_000 && opened.length < 2; round += 1) await setImmediate();
  for (let sent = 0; sent < 4 << 20; sent += 65_536) {
    stuck.write(Buffer.alloc(65_536));
    await setImmediate();
  }
  other.write("hello");
  const [unread, waiting] = opened;
  assert.ok(unread !== undefined && waiting !== undefined);
  assert.ok(unread.readableLength < 2 << 20, `${unread.readableLength} bytes are kept`);
  unread.destroy();
  const [text] = (await once(waiting, "data")) as [Buffer];
  assert.equal(text.toString(), "hello");
  near.destroy();
  far.destroy();
  await session.closed;
});
