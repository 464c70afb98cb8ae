import { ByteWriter } from "#wire/http2/byte-writer.ts";

const capacity = 64 * 1024;
const spares = 16;
const spare: ByteWriter[] = [];

/** Memory for frames on their way out. An idle connection holds none; what was used last is warm, and used next. */
export function takeBuffer(): ByteWriter {
  return spare.pop() ?? new ByteWriter(capacity);
}

/** Gives memory back of which nothing is needed any more. */
export function giveBuffer(buffer: ByteWriter): void {
  if (spare.length >= spares || buffer.bytes.length > 4 * capacity) return;
  buffer.length = 0;
  spare.push(buffer);
}
