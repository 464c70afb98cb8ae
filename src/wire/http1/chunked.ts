import { byteClass, CR, hexValue, isToken, isValue, LF } from "./bytes.ts";
import { fieldKind, kind } from "./field-kind.ts";
import { refusal } from "./problem.ts";

const maxExtension = 256;
const maxTrailers = 8 * 1024;
const maxSizeDigits = 12;

const badSize = refusal("bad-chunk-size");
const badExtension = refusal("bad-chunk-extension");
const badEnd = refusal("bad-chunk-end");
const badTrailer = refusal("bad-trailer");
const bareLf = refusal("bare-lf");

const size = 0;
const extension = 1;
const sizeLf = 2;
const data = 3;
const dataCr = 4;
const dataLf = 5;
const lineStart = 6;
const name = 7;
const value = 8;
const valueLf = 9;
const lastLf = 10;
const done = 11;

/**
 * Follows a chunked body (RFC 9112 section 7.1) without copying, so that its bytes can be passed on as they came, and
 * refuses what another reader could take differently: LF alone, signs or spaces around sizes, control characters.
 */
export class ChunkDecoder {
  /** The body without its framing, in bytes, so far. */
  decoded = 0;
  /** In the last `feed`: where the lines after the last chunk begin, or -1. */
  trailersAt = -1;
  /** Told of each stretch of data while `feed` runs. */
  onData: ((start: number, end: number) => void) | undefined;
  private state = size;
  private left = 0;
  private digits = 0;
  private extra = 0;
  private trailers = 0;
  private nameBytes: number[] = [];

  get finished(): boolean {
    return this.state === done;
  }

  /** Takes bytes up to the end of the body; returns the position it stopped at, or a refusal. */
  feed(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    this.trailersAt = this.state >= lineStart ? start : -1;
    while (at < end && this.state !== done) {
      if (this.state === data) {
        const stop = Math.min(end, at + this.left);
        this.left -= stop - at;
        this.decoded += stop - at;
        this.onData?.(at, stop);
        at = stop;
        if (this.left === 0) this.state = dataCr;
        continue;
      }
      const refused = this.step(bytes[at] ?? 0, at);
      if (refused !== 0) return refused;
      at += 1;
    }
    return at;
  }

  private step(byte: number, at: number): number {
    switch (this.state) {
      case size:
        return this.sizeByte(byte);
      case extension:
        if (byte === CR) this.state = sizeLf;
        else if (byte === LF) return bareLf;
        else if (((byteClass[byte] ?? 0) & isValue) === 0 || ++this.extra > maxExtension) return badExtension;
        return 0;
      case sizeLf:
        if (byte !== LF) return badSize;
        this.digits = 0;
        this.extra = 0;
        if (this.left > 0) this.state = data;
        else {
          this.state = lineStart;
          this.trailersAt = at + 1;
        }
        return 0;
      case dataCr:
        if (byte !== CR) return badEnd;
        this.state = dataLf;
        return 0;
      case dataLf:
        if (byte !== LF) return badEnd;
        this.state = size;
        return 0;
      default:
        return this.trailerByte(byte);
    }
  }

  private sizeByte(byte: number): number {
    const digit = hexValue(byte);
    if (digit >= 0) {
      this.digits += 1;
      if (this.digits > maxSizeDigits) return badSize;
      this.left = this.left * 16 + digit;
      return 0;
    }
    if (this.digits === 0) return badSize;
    if (byte === CR) this.state = sizeLf;
    else if (byte === LF) return bareLf;
    else if (byte === 0x3b) this.state = extension;
    else return badSize;
    return 0;
  }

  private trailerByte(byte: number): number {
    this.trailers += 1;
    if (this.trailers > maxTrailers) return badTrailer;
    switch (this.state) {
      case lineStart:
        if (byte === CR) {
          this.state = lastLf;
          return 0;
        }
        this.nameBytes = [];
        this.state = name;
        return this.nameByte(byte);
      case name:
        return this.nameByte(byte);
      case value:
        if (byte === CR) this.state = valueLf;
        else if (((byteClass[byte] ?? 0) & isValue) === 0) return byte === LF ? bareLf : badTrailer;
        return 0;
      case valueLf:
        if (byte !== LF) return badTrailer;
        this.state = lineStart;
        return 0;
      default:
        if (byte !== LF) return badTrailer;
        this.state = done;
        return 0;
    }
  }

  private nameByte(byte: number): number {
    if (byte === 0x3a && this.nameBytes.length > 0) {
      const known = fieldKind(Uint8Array.from(this.nameBytes), 0, this.nameBytes.length);
      if (known >= kind.host && known <= kind.connection) return badTrailer;
      this.state = value;
      return 0;
    }
    if (((byteClass[byte] ?? 0) & isToken) === 0) return byte === LF ? bareLf : badTrailer;
    this.nameBytes.push(byte);
    return 0;
  }
}
