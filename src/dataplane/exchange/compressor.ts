import { constants, createGzip, type Gzip } from "node:zlib";
import { chunkedBody, untilClose } from "#wire/http1/framing.ts";
import { findField, type HeadTable } from "#wire/http1/head.ts";
import { acceptsGzip, type Compression } from "../filters/compression.ts";
import { lent, type WriteResult } from "../transport/connection.ts";
import type { LiveRequest } from "./live-request.ts";

/** nginx compresses no other answers. */
const statuses = new Set([200, 403, 404]);

/** A response whose head was read. */
export interface ReadResponse {
  readonly bytes: Buffer;
  readonly head: HeadTable;
  readonly framing: number;
}

/** What becomes of a response: `plain` where it would be compressed if the client took it. */
export type Coding = "gzip" | "plain" | "none";

/** Decides about a response by its head and by what the client accepts. */
export function codingOf(compression: Compression, live: LiveRequest, { bytes, head, framing }: ReadResponse): Coding {
  const field = (name: string) => findField(bytes, head, name) ?? "";
  const length = framing === chunkedBody || framing === untilClose ? undefined : framing;
  if (!statuses.has(head.status) || framing === 0 || field("content-encoding") !== "") return "none";
  if (/\bno-transform\b/i.test(field("cache-control"))) return "none";
  if (!compression.takes(field("content-type"), length)) return "none";
  return acceptsGzip(live.field("accept-encoding")) ? "gzip" : "plain";
}

/** Changes the fields of the answer to what becomes of it; also who gets it plainly is told that it depends. */
export function editCoding(coding: Coding, { responseEdits }: LiveRequest, { bytes, head }: ReadResponse): void {
  if (coding === "none") return;
  responseEdits.add("Vary", "Accept-Encoding");
  if (coding === "plain") return;
  responseEdits.set("Content-Encoding", "gzip");
  responseEdits.dropLength();
  responseEdits.set("Accept-Ranges", undefined);
  const tag = findField(bytes, head, "etag") ?? "";
  if (tag.startsWith('"')) responseEdits.set("ETag", `W/${tag}`);
}

/** Who takes what comes out. */
export interface CompressorOutput {
  readonly send: (bytes: Buffer) => WriteResult;
  /** There is room for more. */
  readonly drained: () => void;
  readonly ended: () => void;
  readonly failed: () => void;
}

/** Compresses a body piece by piece, outside of the worker's own thread, at the pace of its output. */
export class Compressor {
  private readonly gzip: Gzip;
  private isOver = false;

  /** `isLive`: each piece goes out when it comes, since nobody knows when the next one will. */
  constructor(level: number, isLive: boolean, output: CompressorOutput) {
    this.gzip = createGzip({ level, flush: isLive ? constants.Z_SYNC_FLUSH : constants.Z_NO_FLUSH });
    const unlessOver =
      <A extends unknown[]>(call: (...values: A) => void) =>
      (...values: A) => {
        if (!this.isOver) call(...values);
      };
    this.gzip.on(
      "data",
      unlessOver((bytes: Buffer) => {
        if (output.send(bytes) === lent) this.gzip.pause();
      }),
    );
    this.gzip.on("drain", unlessOver(output.drained));
    this.gzip.on("end", unlessOver(output.ended));
    this.gzip.on("error", unlessOver(output.failed));
  }

  /** Takes a copy; false when it wants no more for now. */
  write(bytes: Buffer): boolean {
    return bytes.length === 0 || this.gzip.write(Buffer.from(bytes));
  }

  end(): void {
    this.gzip.end();
  }

  /** The output takes more. */
  resume(): void {
    this.gzip.resume();
  }

  destroy(): void {
    this.isOver = true;
    this.gzip.destroy();
  }
}
