import type { Deadlines, Timed } from "../deadline.ts";
import type { Connection, ConnectionHandler } from "../transport/connection.ts";
import type { TcpHandle } from "../transport/handles.ts";
import type { RawOptions } from "../transport/raw.ts";
import { HandlePeek } from "../transport/raw-peek.ts";
import { shakeHands, type ShakeOptions } from "../transport/raw-tls.ts";
import type { Peeked } from "../transport/peek.ts";

/** Handshakes with clients whose connections are handles. */
export class Shakes {
  private readonly options: RawOptions & { readonly deadlines: Deadlines; readonly ms: number };
  private readonly shaking = new Set<Timed>();

  /** A handshake has so many milliseconds. */
  constructor(options: RawOptions & { readonly deadlines: Deadlines; readonly ms: number }) {
    this.options = options;
  }

  get count(): number {
    return this.shaking.size;
  }

  /**
   * Looks into the greeting of a client within so many milliseconds, and then calls `done` with what was read, unless the
   * connection was closed.
   */
  peek(handle: TcpHandle, ms: number, look: (bytes: Buffer) => Peeked, done: (seen: Buffer) => void): void {
    const { shaking, options } = this;
    const { handles, deadlines, onFault } = options;
    const peek = new HandlePeek(handle, {
      handles,
      look,
      done: (seen) => {
        shaking.delete(timed);
        deadlines.delete(timed);
        if (seen === undefined) return;
        try {
          done(seen);
        } catch (error) {
          handle.close(() => {});
          onFault(error);
        }
      },
    });
    const timed: Timed = { deadline: deadlines.now + ms, onDeadline: () => peek.end() };
    shaking.add(timed);
    deadlines.add(timed);
  }

  /** Shakes hands, and then calls `accept`. */
  begin(
    handle: TcpHandle,
    how: Pick<ShakeOptions, "localPort" | "start" | "seen">,
    accept: (connection: Connection) => void,
  ): void {
    const { options, shaking } = this;
    const { deadlines, ms } = options;
    const over = (shake: Shake) => {
      shaking.delete(shake);
      deadlines.delete(shake);
    };
    const connection = shakeHands(handle, { ...options, ...how }, () => {
      over(shake);
      accept(connection);
    });
    const shake = new Shake(connection, over);
    shake.deadline = deadlines.now + ms;
    connection.handler = shake;
    shaking.add(shake);
    deadlines.add(shake);
  }

  /** Ends what is under way. */
  destroy(): void {
    for (const shake of this.shaking) shake.onDeadline();
  }
}

/** One of them: nothing is said before it is over. */
class Shake implements ConnectionHandler, Timed {
  deadline = 0;
  private readonly connection: Connection;
  private readonly over: (shake: Shake) => void;

  constructor(connection: Connection, over: (shake: Shake) => void) {
    this.connection = connection;
    this.over = over;
  }

  onDeadline(): void {
    this.connection.destroy();
  }

  onData(): void {}

  onEnd(): void {
    this.connection.destroy();
  }

  onDrain(): void {}

  onClose(): void {
    this.over(this);
  }
}
