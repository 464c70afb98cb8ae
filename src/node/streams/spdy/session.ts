import { Duplex } from "node:stream";
import { createHeaderDeflate, createHeaderInflate } from "./compress.ts";
import {
  createFrameReader,
  finFlag,
  frameType,
  parseHeaders,
  renderControl,
  renderData,
  renderHeaders,
  uint32,
  type Frame,
} from "./frame.ts";

/** One stream of a SPDY connection, with the headers it was opened with. */
export interface SpdyStream extends Duplex {
  readonly spdyId: number;
  readonly headers: ReadonlyMap<string, string>;
}

export interface SpdySession {
  /** Opens a stream from this side; the peer answers or resets it later. */
  open(headers: ReadonlyMap<string, string>): Promise<SpdyStream>;
  /** Says goodbye and ends the connection when all that was written is out. */
  close(): void;
  readonly closed: Promise<void>;
}

export interface SpdyOptions {
  /** Even ids are the server's, odd ones the client's. */
  readonly side: "server" | "client";
  readonly onStream: (stream: SpdyStream) => void;
}

const largestData = 16 << 10;
const streamLimit = 4_096;
/** Unread bytes of one stream that make the whole connection wait: SPDY's own windows are not kept by the usual clients. */
const unreadLimit = 1 << 20;
/** Chunks that may wait for those before them, whose answers a slow client may not have taken yet. */
const waitingLimit = 16;

/** Speaks SPDY/3.1 on a connection. What is wrong on the wire destroys it. */
export function startSpdy(socket: Duplex, { side, onStream }: SpdyOptions): SpdySession {
  const read = createFrameReader();
  const inflate = createHeaderInflate();
  const deflate = createHeaderDeflate();
  const streams = new Map<number, SpdyStream>();
  let nextId = side === "client" ? 1 : 2;
  let work = Promise.resolve();
  let waiting = 0;
  const full = new Set<SpdyStream>();
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));

  function send(bytes: Buffer, done?: (error?: Error | null) => void): void {
    if (socket.destroyed || socket.writableEnded) done?.();
    else socket.write(bytes, done);
  }

  /** Reads on when nothing stands in the way any more. */
  function proceed(): void {
    if (full.size === 0 && waiting < waitingLimit) socket.resume();
    else socket.pause();
  }

  /** Resolves when the client has taken what was written, or has gone. */
  function taken(): Promise<void> {
    if (!socket.writableNeedDrain || socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        socket.off("drain", done).off("close", done);
        resolve();
      };
      socket.once("drain", done).once("close", done);
    });
  }

  /** Header blocks share one compressor, so they leave in the order they are made. */
  function sendHeaders(type: number, head: Buffer, headers: ReadonlyMap<string, string>): Promise<void> {
    const sent = outgoing.then(async () =>
      send(renderControl(type, 0, Buffer.concat([head, await deflate(renderHeaders(headers))]))),
    );
    outgoing = sent.catch(() => {});
    return sent;
  }
  let outgoing = Promise.resolve();

  function makeStream(id: number, headers: ReadonlyMap<string, string>): SpdyStream {
    let finished = false;
    const stream = new Duplex({
      allowHalfOpen: true,
      read() {
        full.delete(made);
        proceed();
      },
      write(chunk: Buffer, _encoding, done) {
        for (let offset = 0; offset < chunk.length; offset += largestData) {
          const part = chunk.subarray(offset, offset + largestData);
          const isLast = offset + largestData >= chunk.length;
          send(renderData(id, part, false), isLast ? () => done() : undefined);
        }
        if (chunk.length === 0) done();
      },
      final(done) {
        finished = true;
        send(renderData(id, Buffer.alloc(0), true), () => done());
      },
      destroy(error, done) {
        streams.delete(id);
        full.delete(made);
        proceed();
        // 5 is CANCEL.
        if (!finished) send(renderControl(frameType.reset, 0, uint32(id, 5)));
        done(error);
      },
    });
    const made: SpdyStream = Object.assign(stream, { spdyId: id, headers });
    made.on("error", () => {});
    streams.set(id, made);
    return made;
  }

  async function take(frame: Frame): Promise<void> {
    if (frame.kind === "data") return takeData(frame);
    const { type, flags, payload } = frame;
    if (type === frameType.synStream) {
      const id = payload.readUInt32BE(0) & 0x7fffffff;
      const headers = parseHeaders(await inflate(payload.subarray(10)));
      if (streams.size >= streamLimit) return send(renderControl(frameType.reset, 0, uint32(id, 3)));
      await sendHeaders(frameType.synReply, uint32(id), new Map());
      const stream = makeStream(id, headers);
      onStream(stream);
      if (flags & finFlag) stream.push(null);
    } else if (type === frameType.synReply || type === frameType.headers) {
      await inflate(payload.subarray(4));
    } else if (type === frameType.reset) {
      streams.get(payload.readUInt32BE(0) & 0x7fffffff)?.destroy();
    } else if (type === frameType.ping) {
      const isOwn = payload.readUInt32BE(0) % 2 === (side === "client" ? 1 : 0);
      if (!isOwn) send(renderControl(frameType.ping, 0, payload));
    } else if (type === frameType.goAway) {
      if (streams.size === 0) session.close();
    }
  }

  function takeData({ stream: id, fin, payload }: Extract<Frame, { kind: "data" }>): void {
    const stream = streams.get(id);
    if (stream === undefined) return;
    if (payload.length > 0 && !stream.push(payload) && stream.readableLength > unreadLimit) {
      full.add(stream);
      proceed();
    }
    if (fin) stream.push(null);
  }

  socket.on("data", (chunk: Buffer) => {
    waiting += 1;
    if (waiting >= waitingLimit) proceed();
    work = work
      .then(async () => {
        for (const frame of read(chunk)) {
          await take(frame);
          // Who asks and does not take the answers is not asked for more.
          await taken();
        }
      })
      .catch((error: unknown) => {
        socket.destroy(error as Error);
      })
      .finally(() => {
        waiting -= 1;
        proceed();
      });
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    for (const stream of streams.values()) stream.destroy();
  });
  socket.on("end", () => socket.end());

  const session: SpdySession = {
    async open(headers) {
      const id = nextId;
      nextId += 2;
      const stream = makeStream(id, headers);
      await sendHeaders(frameType.synStream, Buffer.concat([uint32(id, 0), Buffer.from([0, 0])]), headers);
      return stream;
    },
    close() {
      if (socket.destroyed || socket.writableEnded) return;
      send(renderControl(frameType.goAway, 0, uint32(0, 0)));
      socket.end();
    },
    closed,
  };
  return session;
}
