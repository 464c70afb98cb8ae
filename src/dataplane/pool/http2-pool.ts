import type { ServeContext } from "../context.ts";
import { EndpointSession } from "../http2/endpoint-session.ts";
import type { Connecting, Connection, DialTarget } from "../transport/connection.ts";

type Done = (result: Connection | NodeJS.ErrnoException) => void;

/**
 * The HTTP/2 connections to one endpoint. Requests share them; a further one is made only when all that are there take no
 * more streams.
 */
export class Http2Pool {
  private readonly target: DialTarget;
  private readonly sessions = new Set<EndpointSession>();
  private readonly waiting = new Set<Done>();
  private dialing: Connecting | undefined;
  private retired = false;

  constructor(target: DialTarget) {
    this.target = target;
  }

  /** Connections that are there or being made. */
  get size(): number {
    return this.sessions.size + (this.dialing === undefined ? 0 : 1);
  }

  /** Whether a request needs no further connection. */
  get hasFree(): boolean {
    return this.dialing !== undefined || [...this.sessions].some((session) => session.hasRoom);
  }

  /** A stream on a connection that is there. */
  take(): Connection | undefined {
    for (const session of this.sessions) {
      const stream = session.open();
      if (stream !== undefined) return stream;
    }
    return undefined;
  }

  /** A stream on a connection that is made for it, and for all who ask meanwhile; at once where there is room by now. */
  connect(context: ServeContext, done: Done): Connecting {
    const stream = this.take();
    if (stream !== undefined) {
      done(stream);
      return { cancel() {} };
    }
    this.waiting.add(done);
    if (this.dialing === undefined) this.dial(context);
    return {
      cancel: () => {
        if (!this.waiting.delete(done) || this.waiting.size > 0) return;
        this.dialing?.cancel();
        this.dialing = undefined;
      },
    };
  }

  private dial(context: ServeContext): void {
    let over = false;
    const dialing = context.dialer.connect(this.target, (result) => {
      over = true;
      this.dialing = undefined;
      if (result instanceof Error) this.tellAll(result);
      else this.serve(context, result);
    });
    if (!over) this.dialing = dialing;
  }

  private tellAll(error: NodeJS.ErrnoException): void {
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const done of waiting) done(error);
  }

  private serve(context: ServeContext, connection: Connection): void {
    const session: EndpointSession = new EndpointSession(context, connection, () => this.sessions.delete(session));
    this.sessions.add(session);
    for (const done of this.waiting) {
      const stream = session.open();
      if (stream === undefined) break;
      this.waiting.delete(done);
      done(stream);
    }
    if (this.waiting.size > 0 && this.dialing === undefined) this.dial(context);
    if (this.retired) session.leave();
  }

  /** Closes connections that had nothing to do for `idleMs`, and those whose endpoint seems to be gone. */
  expire(now: number, idleMs: number): void {
    for (const session of this.sessions) {
      if (session.idle && session.idleSince < now - idleMs) session.leave();
      else session.check(now);
    }
  }

  /** Lets requests under way end, and keeps nothing. */
  retire(): void {
    this.retired = true;
    for (const session of this.sessions) session.leave();
  }
}
