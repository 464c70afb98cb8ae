import { createRoundRobin, type RoundRobin } from "../balance/round-robin.ts";
import type { CounterSlot } from "../counters.ts";
import type { BackendEntry } from "../table.ts";
import type { DialTarget } from "../transport/connection.ts";
import { Endpoint } from "./endpoint.ts";

/** A backend as a worker serves it: its endpoints keep their connections when the table changes around them. */
export class Backend {
  entry: BackendEntry;
  endpoints: readonly Endpoint[] = [];
  slot: CounterSlot;
  private readonly order: RoundRobin;
  private readonly idleLimit: number;

  constructor(entry: BackendEntry, options: { readonly start: number; readonly idleLimit: number; slot: CounterSlot }) {
    this.entry = entry;
    this.order = createRoundRobin(options.start);
    this.idleLimit = options.idleLimit;
    this.slot = options.slot;
    this.update(entry);
  }

  /** Brings the endpoints in line with the entry. Endpoints that left finish what they do and keep no connection. */
  update(entry: BackendEntry): void {
    const tls = entry.protocol === "https" || entry.protocol === "h2s";
    const http2 = entry.protocol === "h2" || entry.protocol === "h2s";
    const known = new Map(this.endpoints.map((endpoint) => [keyOf(endpoint), endpoint]));
    this.entry = entry;
    this.endpoints = entry.endpoints.map(({ address, port }) => {
      const target = { address, port, tls, http2 };
      const key = keyOf(target);
      const endpoint = known.get(key) ?? new Endpoint(target, this.idleLimit);
      known.delete(key);
      return endpoint;
    });
    for (const gone of known.values()) gone.retire();
  }

  /**
   * The endpoint for the next try: in turn, never one of `tried`, and not one that just failed as long as there is
   * another.
   */
  pick(tried: readonly Endpoint[], now: number): Endpoint | undefined {
    const fresh = (endpoint: Endpoint) => !tried.includes(endpoint);
    return (
      this.order.next(this.endpoints, (endpoint) => endpoint.failedUntil <= now && fresh(endpoint)) ??
      this.order.next(this.endpoints, fresh)
    );
  }

  expire(now: number, idleMs: number): void {
    for (const endpoint of this.endpoints) endpoint.expire(now, idleMs);
  }

  retire(): void {
    for (const endpoint of this.endpoints) endpoint.retire();
  }
}

function keyOf({ address, port, tls, http2 }: DialTarget): string {
  return `${tls ? "tls" : "tcp"} ${http2 ? "h2" : "http/1.1"} ${address} ${port}`;
}
