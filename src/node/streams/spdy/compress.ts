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

function pass(stream: Zlib, feed: (done: () => void) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const collect = (chunk: Buffer) => {
      size += chunk.length;
      if (size > longestBlock) stream.destroy(new SpdyError("a header block is too large"));
      else chunks.push(chunk);
    };
    const fail = (error: Error) => reject(error instanceof SpdyError ? error : new SpdyError(error.message));
    stream.on("data", collect);
    stream.once("error", fail);
    feed(() => {
      stream.off("data", collect);
      stream.off("error", fail);
      resolve(Buffer.concat(chunks));
    });
  });
}
