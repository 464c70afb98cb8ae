import { hash } from "node:crypto";
import type { MovingMean } from "../balance/ewma.ts";
import type { ServeContext } from "../context.ts";
import { counter, createSlot, type CounterSlot } from "../counters.ts";
import type { Connecting, Connection, ConnectionHandler, DialTarget } from "../transport/connection.ts";
import type { Guarded } from "./breaker.ts";
import { endpointName } from "./endpoint-name.ts";
import { Http2Pool } from "./http2-pool.ts";
import type { Suspect } from "./outliers.ts";

/** A connection that waits in a pool for its next request. One object, as each request leaves one behind. */
class Idle implements ConnectionHandler {
  readonly connection: Connection;
  /** In `Deadlines.now` time. */
  readonly until: number;
  private readonly pool: Idle[];

  constructor(connection: Connection, until: number, pool: Idle[]) {
    this.connection = connection;
    this.until = until;
    this.pool = pool;
  }

  /** Bytes that nobody asked for would be taken as the answer to the next request. */
  onData(): void {
    this.connection.destroy();
  }

  onEnd(): void {
    this.connection.destroy();
  }

  onDrain(): void {}

  onClose(): void {
    const at = this.pool.indexOf(this);
    if (at >= 0) this.pool.splice(at, 1);
  }
}

/** One endpoint as a worker knows it: its idle connections and how it did lately. */
export class Endpoint implements Guarded, Suspect {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly tls: boolean;
  readonly serverName: string | undefined;
  readonly slot: CounterSlot;
  private requests = 0;
  /** How long its answers took lately; kept where the backend chooses by it. */
  speed: MovingMean | undefined;
  /** When it joined others, in `Deadlines.now` time; `undefined` when it was there from the start. */
  joinedAt: number | undefined;
  /** Passed over until then, while others are there. */
  failedUntil = 0;
  failuresInARow = 0;
  isDown = false;
  ejectedUntil = 0;
  ejections = 0;
  /** The counters say that it is left out. */
  countsAsEjected = false;
  private hashed: string | undefined;
  /** No longer in the table: requests under way end, no connection is kept. */
  retired = false;
  /** Its connections when it speaks HTTP/2; then nothing is ever idle here. */
  private readonly shared: Http2Pool | undefined;
  readonly http2: boolean;
  private readonly idle: Idle[] = [];
  private readonly limit: number;

  /** `slot` is where it counts what it serves. */
  constructor(target: DialTarget, limit: number, slot: CounterSlot = createSlot()) {
    this.address = target.address;
    this.port = target.port;
    this.tls = target.tls;
    this.serverName = target.serverName;
    this.name = endpointName(target);
    this.slot = slot;
    this.limit = limit;
    this.http2 = target.http2;
    this.shared = target.http2 ? new Http2Pool(target) : undefined;
  }

  /** Requests that it has now. */
  get active(): number {
    return this.requests;
  }

  set active(count: number) {
    this.requests = count;
    // The slot of one that left may be another's by now.
    if (!this.retired) this.slot.page[this.slot.offset + counter.open] = count;
  }

  /** Tells it from the others of its backend, to clients too. */
  get key(): string {
    return (this.hashed ??= hash("md5", this.name, "hex"));
  }

  /**
   * The connection that was used last: it is the least likely to be closed by the peer, and its memory is warm. None when
   * its time would run out before `until`.
   */
  take(until: number): Connection | undefined {
    if (this.shared !== undefined) return this.shared.take();
    const last = this.idle.at(-1);
    if (last === undefined || last.until < until) return undefined;
    this.idle.pop();
    return last.connection;
  }

  /** Makes a connection, or shares one that is being made. */
  connect(context: ServeContext, done: (result: Connection | NodeJS.ErrnoException) => void): Connecting {
    return this.shared === undefined ? context.dialer.connect(this, done) : this.shared.connect(context, done);
  }

  /**
   * Keeps a connection whose response has ended until its time is up. The one that has waited longest makes room: it is
   * the first that the peer will close, and requests that cannot be sent twice do not take it.
   */
  give(connection: Connection, until: number): void {
    if (this.retired || this.limit === 0 || this.shared !== undefined) {
      connection.destroy();
      return;
    }
    if (this.idle.length >= this.limit) this.idle.shift()?.connection.destroy();
    const idle = new Idle(connection, until, this.idle);
    this.idle.push(idle);
    connection.handler = idle;
  }

  /** Closes the connections that waited past their time. */
  expire(now: number, idleMs: number): void {
    this.shared?.expire(now, idleMs);
    while (this.idle.length > 0 && (this.idle[0]?.until ?? 0) <= now) this.idle.shift()?.connection.destroy();
  }

  retire(): void {
    this.retired = true;
    this.shared?.retire();
    for (const { connection } of this.idle.splice(0)) connection.destroy();
  }

  get idleCount(): number {
    return this.idle.length;
  }

  /** A request of HTTP/1.1 has a connection of its own, also while that is being made. */
  get connections(): number {
    return this.shared?.size ?? this.active + this.idle.length;
  }

  get hasFree(): boolean {
    return this.shared?.hasFree ?? this.idle.length > 0;
  }

  dropIdle(): boolean {
    const oldest = this.idle.shift();
    oldest?.connection.destroy();
    return oldest !== undefined;
  }
}
