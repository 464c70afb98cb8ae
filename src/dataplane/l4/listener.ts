import type { StreamEntry } from "../table.ts";

/** One port of one stream, as a worker serves it. */
export interface StreamListener {
  /** Resolves when it accepts; rejects with the system's error when it cannot. */
  listen(): Promise<void>;
  /** Another target from now on: what is open goes on, but for UDP sessions whose endpoint has left. */
  update(entry: StreamEntry): void;
  /** Accepts no more; what is open goes on. */
  stop(): void;
  /** Ends it with all that is open. */
  destroy(): void;
}

export interface StreamListenerOptions {
  readonly host: string;
  /** Other workers listen on the same port. */
  readonly shared: boolean;
  /** Sets this worker's turns apart from those of others. */
  readonly start: number;
}
