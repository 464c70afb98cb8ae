import type { Transform } from "node:stream";
import { constants, createBrotliCompress, createGzip, createZstdCompress, type Zlib } from "node:zlib";
import { chunkedBody, untilClose } from "#wire/http1/framing.ts";
import { findField, type HeadTable } from "#wire/http1/head.ts";
import { chooseOffer, type Compression, type Offer } from "../filters/compression.ts";
import { lent, type WriteResult } from "../transport/connection.ts";
import type { BodyReader } from "../http1/body.ts";
import type { LiveRequest } from "./live-request.ts";
import type { ClientRequest } from "./request.ts";
import type { Decision } from "./route-request.ts";

/** nginx compresses no other answers. */
const statuses = new Set([200, 403, 404]);

/** A response whose head was read. */
export interface ReadResponse {
  readonly bytes: Buffer;
  readonly head: HeadTable;
  readonly framing: number;
}

/** What becomes of a response: `plain` where it would be compressed if the client took it. */
export type Treatment = Offer | "plain" | "none";

/** Decides about a response by its head and by what the client accepts. */
function treatmentOf(compression: Compression, live: LiveRequest, { bytes, head, framing }: ReadResponse): Treatment {
  const field = (name: string) => findField(bytes, head, name) ?? "";
  const length = framing === chunkedBody || framing === untilClose ? undefined : framing;
  if (!statuses.has(head.status) || framing === 0 || field("content-encoding") !== "") return "none";
  if (/\bno-transform\b/i.test(field("cache-control"))) return "none";
  const offers = compression.offersFor(field("content-type"), length);
  if (offers.length === 0) return "none";
  return chooseOffer(offers, live.field("accept-encoding")) ?? "plain";
}

/** What is known of a response before its body is read. */
export interface Plan {
  readonly treatment: Treatment;
  /**
   * Where the content lies in the bytes that were read last: a start and an end for each piece, without chunk framing.
   * Absent where all of them are content.
   */
  readonly content: number[] | undefined;
  /** Nobody knows when the next piece comes. */
  readonly isLive: boolean;
}

/**
 * Decides what becomes of a response whose body is about to be read by `body`, whose decoder is told to find the content
 * where that will be compressed. `undefined` when there is nothing to decide.
 */
export function planFor(
  { live, route }: Decision,
  { minor }: ClientRequest,
  response: ReadResponse,
  { decoder }: BodyReader,
): Plan | undefined {
  const compression = route?.filters.compression;
  if (compression === undefined || live === undefined || minor === 0) return undefined;
  const treatment = treatmentOf(compression, live, response);
  if (treatment === "none") return undefined;
  const isLive = response.framing === untilClose || decoder !== undefined;
  if (treatment === "plain" || decoder === undefined) return { treatment, content: undefined, isLive };
  const content: number[] = [];
  decoder.onData = (from, to) => content.push(from, to);
  return { treatment, content, isLive };
}

/** Changes the fields of the answer to what becomes of it; also who gets it plainly is told that it depends. */
export function editFields(treatment: Treatment, { responseEdits }: LiveRequest, { bytes, head }: ReadResponse): void {
  if (treatment === "none") return;
  responseEdits.add("Vary", "Accept-Encoding");
  if (treatment === "plain") return;
  responseEdits.set("Content-Encoding", treatment.coding);
  responseEdits.dropLength();
  responseEdits.set("Accept-Ranges", undefined);
  const tag = findField(bytes, head, "etag") ?? "";
  if (tag.startsWith('"')) responseEdits.set("ETag", `W/${tag}`);
}

/** A window of half a megabyte, as nginx' brotli module has it: one of these may be open for every answer under way. */
const brotliWindow = 19;
/** Clients need not take a larger window (RFC 9659). */
const zstdWindow = 23;

/** `isLive`: each piece goes out when it comes, since nobody knows when the next one will. */
function createStream({ coding, level }: Offer, isLive: boolean): Transform & Zlib {
  switch (coding) {
    case "gzip":
      return createGzip({ level, flush: isLive ? constants.Z_SYNC_FLUSH : constants.Z_NO_FLUSH });
    case "br":
      return createBrotliCompress({
        flush: isLive ? constants.BROTLI_OPERATION_FLUSH : constants.BROTLI_OPERATION_PROCESS,
        params: { [constants.BROTLI_PARAM_QUALITY]: level, [constants.BROTLI_PARAM_LGWIN]: brotliWindow },
      });
    case "zstd":
      return createZstdCompress({
        flush: isLive ? constants.ZSTD_e_flush : constants.ZSTD_e_continue,
        params: {
          [constants.ZSTD_c_compressionLevel]: level,
          ...(level > 18 ? { [constants.ZSTD_c_windowLog]: zstdWindow } : {}),
        },
      });
  }
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
  private readonly stream: Transform & Zlib;
  private readonly content: number[] | undefined;
  private isOver = false;

  constructor(offer: Offer, { isLive, content }: Plan, output: CompressorOutput) {
    this.content = content;
    this.stream = createStream(offer, isLive);
    const unlessOver =
      <A extends unknown[]>(call: (...values: A) => void) =>
      (...values: A) => {
        if (!this.isOver) call(...values);
      };
    this.stream.on(
      "data",
      unlessOver((bytes: Buffer) => {
        if (output.send(bytes) === lent) this.stream.pause();
      }),
    );
    this.stream.on("drain", unlessOver(output.drained));
    this.stream.on("end", unlessOver(output.ended));
    this.stream.on("error", unlessOver(output.failed));
  }

  /** Takes a copy of the content in what was read; false when it wants no more for now. */
  write(bytes: Buffer, start: number, end: number): boolean {
    const parts = this.content?.splice(0) ?? [start, end];
    let hasRoom = true;
    for (let at = 0; at + 1 < parts.length; at += 2) {
      const part = bytes.subarray(parts[at], parts[at + 1]);
      if (part.length > 0) hasRoom = this.stream.write(Buffer.from(part));
    }
    return hasRoom;
  }

  end(): void {
    this.stream.end();
  }

  /** The output takes more. */
  resume(): void {
    this.stream.resume();
  }

  destroy(): void {
    this.isOver = true;
    this.stream.destroy();
  }
}
