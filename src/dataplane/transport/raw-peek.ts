import { Socket, type SocketConstructorOpts } from "node:net";
import type { Handles, StreamHandle, TcpHandle } from "./handles.ts";
import type { Peeked } from "./peek.ts";

const nothing = Buffer.alloc(0);

export interface HandlePeekOptions {
  readonly handles: Handles;
  /** Sees everything that came so far, each time from the beginning; takes nothing out. */
  readonly look: (bytes: Buffer) => Peeked;
  /** Gets what was read, for whoever takes the handle; `undefined` when the connection was closed. */
  readonly done: (bytes: Buffer | undefined) => void;
}

/** Looks into the first bytes of a connection before anything is made of its handle. */
export class HandlePeek {
  private readonly handle: TcpHandle;
  private readonly options: HandlePeekOptions;
  private seen: Buffer = nothing;
  private isOver = false;

  constructor(handle: TcpHandle, options: HandlePeekOptions) {
    this.handle = handle;
    this.options = options;
    handle.owner = this;
    handle.onread = onRead;
    handle.readStart();
  }

  read(bytes: ArrayBuffer | undefined): void {
    const { handles, look } = this.options;
    const length = handles.lastRead();
    if (this.isOver || length === 0) return;
    if (length < 0 || bytes === undefined) return this.end();
    const more = Buffer.from(bytes, handles.lastReadOffset(), length);
    this.seen = this.seen.length === 0 ? more : Buffer.concat([this.seen, more]);
    const outcome = look(this.seen);
    if (outcome === "refused") this.end();
    else if (outcome !== "more") this.finish();
  }

  private finish(): void {
    this.isOver = true;
    this.handle.readStop();
    this.handle.onread = () => undefined;
    this.handle.owner = undefined;
    // Not in the midst of a read: whoever is next may read in another way.
    process.nextTick(() => this.options.done(this.seen));
  }

  /** Closes the connection. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.handle.close(() => {});
    this.options.done(undefined);
  }
}

function onRead(this: StreamHandle, bytes?: ArrayBuffer): undefined {
  if (this.owner instanceof HandlePeek) this.owner.read(bytes);
}

/** A socket over a handle that nobody has yet, which reads `seen` first. */
export function socketOf(handle: TcpHandle, seen: Buffer): Socket {
  // What `net.Server` itself makes of the handles that it accepts; the types know other handles only.
  const options = { handle, readable: true, writable: true } as unknown as SocketConstructorOpts;
  const socket = new Socket(options);
  socket.setNoDelay(true);
  socket.unshift(seen);
  return socket;
}
