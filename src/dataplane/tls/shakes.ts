import type { Deadlines, Timed } from "../deadline.ts";
import type { Connection, ConnectionHandler } from "../transport/connection.ts";
import type { TcpHandle } from "../transport/handles.ts";
import type { RawOptions } from "../transport/raw.ts";
import { shakeHands, type TlsStart } from "../transport/raw-tls.ts";

/** Handshakes with clients whose connections are handles. */
export class Shakes {
  private readonly options: RawOptions & { readonly deadlines: Deadlines; readonly ms: number };
  private readonly shaking = new Set<Shake>();

  /** A handshake has so many milliseconds. */
  constructor(options: RawOptions & { readonly deadlines: Deadlines; readonly ms: number }) {
    this.options = options;
  }

  get count(): number {
    return this.shaking.size;
  }

  /** Shakes hands, and then calls `accept`. */
  begin(handle: TcpHandle, localPort: number, start: TlsStart, accept: (connection: Connection) => void): void {
    const { options, shaking } = this;
    const { deadlines, ms } = options;
    const over = (shake: Shake) => {
      shaking.delete(shake);
      deadlines.delete(shake);
    };
    const connection = shakeHands(handle, { ...options, localPort, start }, () => {
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
