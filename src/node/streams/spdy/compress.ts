import { constants, createDeflate, createInflate } from "node:zlib";
import { headerDictionary } from "./dictionary.ts";
import { SpdyError } from "./frame.ts";

/** One direction of a connection's header compression; calls must not overlap. */
export type Transform = (block: Buffer) => Promise<Buffer>;

const longestBlock = 64 << 10;

export function createHeaderInflate(): Transform {
  const inflate = createInflate({ dictionary: headerDictionary, finishFlush: constants.Z_SYNC_FLUSH });
  return (block) => pass(inflate, (done) => inflate.write(block, done));
}

export function createHeaderDeflate(): Transform {
  const deflate = createDeflate({ dictionary: headerDictionary });
  return (block) =>
    pass(deflate, (done) => {
      deflate.write(block);
      deflate.flush(constants.Z_SYNC_FLUSH, done);
    });
}

type Zlib = ReturnType<typeof createInflate> | ReturnType<typeof createDeflate>;

function pass(stream: Zlib, feed: (done: (error?: Error | null) => void) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let problem: Error | undefined;
    const collect = (chunk: Buffer) => {
      size += chunk.length;
      if (size > longestBlock) fail(new SpdyError("a header block is too large"));
      else chunks.push(chunk);
    };
    /** After a wrong block nothing that follows can be read: the stream is of no use any more. */
    const fail = (error: Error) => {
      problem ??= error instanceof SpdyError ? error : new SpdyError(error.message);
      stream.off("data", collect);
      stream.destroy();
      reject(problem);
    };
    stream.on("data", collect);
    stream.once("error", fail);
    feed((error) => {
      stream.off("data", collect);
      if (error) return fail(error);
      stream.off("error", fail);
      if (problem === undefined) resolve(Buffer.concat(chunks));
    });
  });
}
