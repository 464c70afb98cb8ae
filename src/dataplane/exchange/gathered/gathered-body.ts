import { mostKeptBytes, type KeptBytes } from "../kept-body.ts";
import { Spool, type SpoolSpace } from "./spool.ts";

export interface GatheredSpace {
  /** Memory that all bodies of a worker share. */
  readonly kept: KeptBytes;
  readonly spool: SpoolSpace;
  /** What files of a worker may take together, in bytes. */
  readonly spoolBytes: number;
}

export interface GatheredOwner {
  /** What waits to be written became so little that more may come. */
  hasRoom(): void;
  /** `end` was called, and all of it is where it stays. */
  isWhole(): void;
  /** It cannot be kept; the words for the log. */
  failed(reason: string): void;
}

/** Written to the file in blocks of this size. */
const blockBytes = 64 * 1024;
/** So much may wait for the file. */
const waitingBytes = 1024 * 1024;

/**
 * A request's body that is read to its end before anybody is asked to serve it: in memory up to a limit, beyond it in a
 * file without a name.
 */
export class GatheredBody {
  /** All of it, in bytes. */
  size = 0;
  /** Its beginning; what does not fit here is in `spool`. */
  readonly parts: Buffer[] = [];
  spool: Spool | undefined;
  private inMemory = 0;
  private readonly most: number;
  private readonly space: GatheredSpace;
  private readonly owner: GatheredOwner;
  private waiting: Buffer[] = [];
  private waitingSize = 0;
  private isWriting = false;
  private isPaused = false;
  private isEnded = false;
  private isOver = false;

  /** At most `most` bytes stay in memory. */
  constructor(most: number, space: GatheredSpace, owner: GatheredOwner) {
    this.most = most;
    this.space = space;
    this.owner = owner;
  }

  /** More of it, which is copied. Returns false when the sender should stop until `hasRoom`. */
  add(bytes: Buffer, start: number, end: number): boolean {
    if (this.isOver || end === start) return !this.isPaused;
    const part = Buffer.from(bytes.subarray(start, end));
    this.size += part.length;
    const { kept } = this.space;
    const fits = this.inMemory + part.length <= this.most && kept.bytes + part.length <= mostKeptBytes;
    if (this.spool === undefined && fits) {
      this.inMemory += part.length;
      kept.bytes += part.length;
      this.parts.push(part);
      return true;
    }
    this.waiting.push(part);
    this.waitingSize += part.length;
    if (this.waitingSize >= blockBytes) this.write();
    this.isPaused = this.waitingSize >= waitingBytes;
    return !this.isPaused;
  }

  /** Nothing more comes. */
  end(): void {
    this.isEnded = true;
    if (this.waitingSize > 0) this.write();
    else if (!this.isWriting && !this.isOver) this.owner.isWhole();
  }

  private write(): void {
    if (this.isWriting || this.isOver) return;
    const spool = this.openSpool();
    if (spool === undefined) return;
    const block = Buffer.concat(this.waiting);
    this.waiting = [];
    this.waitingSize = 0;
    this.isWriting = true;
    spool.append(block, (error) => {
      this.isWriting = false;
      if (error === undefined) this.written();
      else this.fail(`the body could not be written to ${this.space.spool.directory}: ${error.message}`);
    });
  }

  private written(): void {
    if (this.waitingSize >= blockBytes || (this.isEnded && this.waitingSize > 0)) this.write();
    else if (this.isEnded) this.owner.isWhole();
    if (!this.isPaused || this.isOver || this.isEnded) return;
    this.isPaused = false;
    this.owner.hasRoom();
  }

  private openSpool(): Spool | undefined {
    const { spool: space, spoolBytes } = this.space;
    if (space.bytes + this.waitingSize > spoolBytes) {
      this.fail(`bodies of requests take ${space.bytes} bytes in ${space.directory}, there is no room for more`);
      return undefined;
    }
    try {
      return (this.spool ??= new Spool(space));
    } catch (error) {
      this.fail(`no file for the body in ${space.directory}: ${(error as Error).message}`);
      return undefined;
    }
  }

  private fail(reason: string): void {
    if (this.isOver) return;
    this.release();
    this.owner.failed(reason);
  }

  /** Lets it go; nobody is told anything any more. */
  release(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.parts.length = 0;
    this.waiting = [];
    this.space.kept.bytes -= this.inMemory;
    this.inMemory = 0;
    this.spool?.close();
  }
}
