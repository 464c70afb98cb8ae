import { hash } from "node:crypto";
import type { MovingMean } from "../balance/ewma.ts";
import type { Connection, DialTarget } from "../transport/connection.ts";

/** A connection that waits in a pool for its next request. */
export interface Idle {
  readonly connection: Connection;
  /** In `Deadlines.now` time. */
  readonly until: number;
}

/** One endpoint as a worker knows it: its idle connections and how it did lately. */
export class Endpoint {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly tls: boolean;
  readonly serverName: string | undefined;
  /** Requests that it has now. */
  active = 0;
  /** How long its answers took lately; kept where the backend chooses by it. */
  speed: MovingMean | undefined;
  /** Passed over until then, while others are there. */
  failedUntil = 0;
  private hashed: string | undefined;
  /** No longer in the table: requests under way end, no connection is kept. */
  retired = false;
  private readonly idle: Idle[] = [];
  private readonly limit: number;

  constructor(target: DialTarget, limit: number) {
    this.address = target.address;
    this.port = target.port;
    this.tls = target.tls;
    this.serverName = target.serverName;
    this.name = target.address.includes(":")
      ? `[${target.address}]:${target.port}`
      : `${target.address}:${target.port}`;
    this.limit = limit;
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
    const last = this.idle.at(-1);
    if (last === undefined || last.until < until) return undefined;
    this.idle.pop();
    return last.connection;
  }

  /**
   * Keeps a connection whose response has ended until its time is up. The one that has waited longest makes room: it is
   * the first that the peer will close, and requests that cannot be sent twice do not take it.
   */
  give(connection: Connection, until: number): void {
    if (this.retired || this.limit === 0) {
      connection.destroy();
      return;
    }
    if (this.idle.length >= this.limit) this.idle.shift()?.connection.destroy();
    this.idle.push({ connection, until });
    connection.handler = {
      // Bytes that nobody asked for would be taken as the answer to the next request.
      onData: () => connection.destroy(),
      onEnd: () => connection.destroy(),
      onDrain: () => {},
      onClose: () => this.forget(connection),
    };
  }

  private forget(connection: Connection): void {
    const at = this.idle.findIndex((idle) => idle.connection === connection);
    if (at >= 0) this.idle.splice(at, 1);
  }

  /** Closes the connections that waited past their time. */
  expire(now: number): void {
    while (this.idle.length > 0 && (this.idle[0]?.until ?? 0) <= now) this.idle.shift()?.connection.destroy();
  }

  retire(): void {
    this.retired = true;
    for (const { connection } of this.idle.splice(0)) connection.destroy();
  }

  get idleCount(): number {
    return this.idle.length;
  }
}
