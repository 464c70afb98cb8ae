import type { Socket } from "node:net";
import type { Clock } from "#base/clock.ts";

/**
 * What the first bytes of a connection are worth: `more` are needed; so many of them are taken out, and the rest is for
 * whoever comes next; or they are `refused`.
 */
export type Peeked = "more" | "refused" | number;

export interface PeekOptions {
  /** Sees everything that came so far, each time from the beginning. */
  readonly look: (bytes: Buffer) => Peeked;
  readonly clock: Clock;
  /** After so many milliseconds the connection is closed. */
  readonly ms: number;
  /** Called in place of `done` when the connection was closed. */
  readonly refused?: () => void;
}

const nothing = Buffer.alloc(0);

/** Looks into the first bytes of a connection and then hands it on as if nobody had: what was not taken is read again. */
export function peek(socket: Socket, { look, clock, ms, refused = () => {} }: PeekOptions, done: () => void): void {
  let seen: Buffer = nothing;
  const stop = () => {
    cancel();
    socket.off("readable", readable);
    socket.off("end", end);
    socket.off("close", end);
    socket.off("error", end);
  };
  const end = () => {
    stop();
    socket.destroy();
    refused();
  };
  const readable = () => {
    const bytes = socket.read() as Buffer | null;
    if (bytes === null) return;
    seen = seen.length === 0 ? bytes : Buffer.concat([seen, bytes]);
    const outcome = look(seen);
    if (outcome === "more") return;
    if (outcome === "refused") return end();
    stop();
    if (outcome < seen.length) socket.unshift(seen.subarray(outcome));
    // The stream looks in the next tick who listens to it, and would take a pause back that comes before.
    process.nextTick(done);
  };
  const cancel = clock.after(ms, end);
  // One that comes before somebody else listens must not end the process.
  socket.on("error", () => {});
  socket.on("readable", readable);
  socket.once("end", end);
  socket.once("close", end);
  socket.once("error", end);
}
