import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { ByteWriter } from "#wire/http2/byte-writer.ts";
import {
  errorName,
  flag,
  frameHeadBytes,
  frameType,
  preface,
  readUint32,
  writeFrameHead,
  writeUint32,
} from "#wire/http2/frame.ts";
import { FrameReader } from "#wire/http2/frame-reader.ts";
import { HpackDecoder } from "#wire/http2/hpack/decoder.ts";
import { HpackEncoder } from "#wire/http2/hpack/encoder.ts";
import { FieldLines } from "#wire/http2/hpack/lines.ts";
import { renderSettings } from "#wire/http2/settings.ts";

/** A frame as bytes, whatever its parts. */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(frameHeadBytes + payload.length);
  writeFrameHead(bytes, 0, { length: payload.length, type, flags, stream });
  bytes.set(payload, frameHeadBytes);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  writeUint32(bytes, 0, value);
  return bytes;
}

/** A peer that says what a test wants, rule or no rule, and notes what it hears as short lines. */
export class Http2Peer {
  /** `SETTINGS`, `1 200`, `1 DATA 5`, `1 end`, `RST 1 CANCEL`, `GOAWAY NO_ERROR`, `PONG`, `closed`. */
  readonly events: string[] = [];
  readonly bodies = new Map<number, string>();
  readonly fields = new Map<number, Map<string, string>[]>();
  closed = false;
  answersPings = true;
  readonly socket: Socket;
  private readonly windows = new Map<number, number>();
  private readonly encoder = new HpackEncoder();
  private readonly lines = new FieldLines();
  private readonly decoder = new HpackDecoder({ inspect: () => 0, tableSize: 4096, listSize: 1 << 20 });
  private watchers: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    const reader = new FrameReader((...parts) => this.hear(...parts));
    socket.on("data", (bytes: Buffer) => {
      const error = reader.feed(bytes, 0, bytes.length);
      if (error !== 0) throw new Error(`the peer was sent a frame it cannot read: ${errorName(error)}`);
      this.wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
      this.events.push("closed");
      this.wake();
    });
  }

  private wake(): void {
    const { watchers } = this;
    this.watchers = [];
    for (const watcher of watchers) watcher();
  }

  private hear(type: number, flags: number, stream: number, bytes: Buffer, start: number, end: number): number {
    const last = (flags & flag.endStream) !== 0;
    if (type === frameType.headers) {
      const error = this.decoder.decode(bytes, start, end, this.lines);
      if (error !== 0) return error;
      const fields = new Map<string, string>();
      for (let at = 0; at < this.lines.count; at += 1) fields.set(this.lines.name(at), this.lines.value(at));
      this.fields.set(stream, [...(this.fields.get(stream) ?? []), fields]);
      this.events.push(`${stream} ${fields.get(":status") ?? fields.get(":path") ?? "trailers"}`);
      if (last) this.events.push(`${stream} end`);
    } else if (type === frameType.data) {
      this.bodies.set(stream, (this.bodies.get(stream) ?? "") + bytes.toString("latin1", start, end));
      if (end > start) this.events.push(`${stream} DATA ${end - start}`);
      if (last) this.events.push(`${stream} end`);
    } else if (type === frameType.rstStream) this.events.push(`RST ${stream} ${errorName(readUint32(bytes, start))}`);
    else if (type === frameType.goaway) this.events.push(`GOAWAY ${errorName(readUint32(bytes, start + 4))}`);
    else if (type === frameType.windowUpdate) {
      this.windows.set(stream, this.granted(stream) + readUint32(bytes, start));
    } else if (type === frameType.settings) {
      this.events.push((flags & flag.ack) === 0 ? "SETTINGS" : "SETTINGS ack");
    } else if (type === frameType.ping) {
      if ((flags & flag.ack) !== 0) this.events.push("PONG");
      else if (this.answersPings) this.send(frame(frameType.ping, flag.ack, 0, bytes.subarray(start, end)));
    }
    return 0;
  }

  /** What WINDOW_UPDATE frames gave so far; stream 0 is the connection. */
  granted(stream: number): number {
    return this.windows.get(stream) ?? 0;
  }

  send(...frames: readonly Buffer[]): void {
    if (!this.closed) this.socket.write(Buffer.concat(frames));
  }

  /** A header block for fields in this order. */
  block(fields: readonly (readonly [name: string, value: string])[]): Buffer {
    const out = new ByteWriter(64);
    for (const [name, value] of fields) this.encoder.text(out, name, value);
    return Buffer.from(out.bytes.subarray(0, out.length));
  }

  request(stream: number, fields: Readonly<Record<string, string>> = {}, last = true): void {
    const all = { ":method": "GET", ":scheme": "http", ":path": "/", ":authority": "example.com", ...fields };
    const flags = flag.endHeaders | (last ? flag.endStream : 0);
    this.send(frame(frameType.headers, flags, stream, this.block(Object.entries(all))));
  }

  data(stream: number, text: string, last = false): void {
    this.send(frame(frameType.data, last ? flag.endStream : 0, stream, Buffer.from(text, "latin1")));
  }

  /** Resolves when `done` says so or the connection is closed. */
  async until(done: () => boolean): Promise<void> {
    while (!done() && !this.closed) await new Promise<void>((resolve) => this.watchers.push(resolve));
  }

  /** Resolves when an event is there. */
  seen(event: string): Promise<void> {
    return this.until(() => this.events.includes(event));
  }
}

export type SettingValues = readonly (readonly [id: number, value: number])[];

/** A client of HTTP/2 by prior knowledge that has said its preface and, if it `greets`, its settings. */
export async function dialHttp2(
  t: TestContext,
  port: number,
  settings: SettingValues = [],
  greets = true,
): Promise<Http2Peer> {
  const socket = connect({ port, host: "127.0.0.1" });
  t.after(() => socket.destroy());
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  const peer = new Http2Peer(socket);
  peer.send(preface, ...(greets ? [renderSettings(settings)] : []));
  return peer;
}
