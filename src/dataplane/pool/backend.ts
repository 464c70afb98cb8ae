import { createTwoChoices, type Balancer, type Random } from "../balance/balancer.ts";
import { MovingMean } from "../balance/ewma.ts";
import { createRoundRobin } from "../balance/round-robin.ts";
import { createSlot, type CounterSlot } from "../counters.ts";
import type { BackendEntry } from "../table.ts";
import type { DialTarget } from "../transport/connection.ts";
import { Preferences, type Preference } from "./preference.ts";
import { Endpoint } from "./endpoint.ts";
import { endpointName } from "./endpoint-name.ts";

/** A backend as a worker serves it: its endpoints keep their connections when the table changes around them. */
export class Backend {
  entry: BackendEntry;
  endpoints: readonly Endpoint[] = [];
  slot: CounterSlot;
  private order: Balancer<Endpoint>;
  private readonly start: number;
  private readonly random: Random;
  private preferences: Preferences;
  /** In `Deadlines.now` time, for scores that change with it. */
  private now = 0;
  private readonly idleLimit: number;
  private readonly slotOfEndpoint: (name: string) => CounterSlot;

  constructor(
    entry: BackendEntry,
    options: {
      readonly start: number;
      readonly idleLimit: number;
      readonly slot: CounterSlot;
      /** Where an endpoint of this name counts. */
      readonly slotOfEndpoint?: (name: string) => CounterSlot;
      readonly random?: Random;
    },
  ) {
    this.entry = entry;
    this.start = options.start;
    this.random = options.random ?? Math.random;
    this.order = this.balancerOf(entry);
    this.preferences = new Preferences([], this.random);
    this.idleLimit = options.idleLimit;
    this.slot = options.slot;
    this.slotOfEndpoint = options.slotOfEndpoint ?? createSlot;
    this.update(entry);
  }

  /** Brings the endpoints in line with the entry. Endpoints that left finish what they do and keep no connection. */
  update(entry: BackendEntry): void {
    const tls = entry.protocol === "https" || entry.protocol === "h2s";
    const http2 = entry.protocol === "h2" || entry.protocol === "h2s";
    if (entry.balance !== this.entry.balance) this.order = this.balancerOf(entry);
    const known = new Map(this.endpoints.map((endpoint) => [keyOf(endpoint), endpoint]));
    this.entry = entry;
    this.endpoints = entry.endpoints.map(({ address, port }) => {
      const target = { address, port, tls, http2, serverName: entry.serverName };
      const key = keyOf(target);
      const endpoint =
        known.get(key) ?? new Endpoint(target, this.idleLimit, this.slotOfEndpoint(endpointName(target)));
      known.delete(key);
      return endpoint;
    });
    for (const gone of known.values()) gone.retire();
    this.preferences = new Preferences(this.endpoints, this.random);
  }

  private balancerOf({ balance }: BackendEntry): Balancer<Endpoint> {
    switch (balance) {
      case "round-robin":
        return createRoundRobin(this.start);
      case "least-request":
        return createTwoChoices(({ active }) => active, this.random);
      case "ewma":
        return createTwoChoices(({ speed }) => speed?.at(this.now) ?? 0, this.random);
    }
  }

  /** Whether it matters how long answers take. */
  get isMeasured(): boolean {
    return this.entry.balance === "ewma";
  }

  /** An answer of this endpoint took so long. One that is new starts at the mean of the others. */
  measure(endpoint: Endpoint, ms: number, now: number): void {
    if (endpoint.speed === undefined) {
      const known = this.endpoints.flatMap(({ speed }) => speed?.at(now) ?? []);
      const mean = known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
      endpoint.speed = new MovingMean(known.length === 0 ? ms : mean, now);
    }
    endpoint.speed.add(ms, now);
  }

  /** The endpoint that this asks for, whatever its state. */
  preferred(preference: Preference): Endpoint | undefined {
    return this.preferences.find(preference, () => true);
  }

  /**
   * The endpoint for the next try: the preferred one, else as the entry balances; never one of `tried`, and not one that
   * just failed as long as there is another.
   */
  pick(tried: readonly Endpoint[], now: number, preference?: Preference): Endpoint | undefined {
    this.now = now;
    const fresh = (endpoint: Endpoint) => !tried.includes(endpoint);
    if (preference !== undefined) {
      const preferred = this.preferred(preference);
      if (preferred !== undefined && preference.stays === true) return fresh(preferred) ? preferred : undefined;
      const sound = (endpoint: Endpoint) => endpoint.failedUntil <= now && fresh(endpoint);
      const found = this.preferences.find(preference, sound) ?? this.preferences.find(preference, fresh);
      if (found !== undefined) return found;
    }
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

function keyOf({ address, port, tls, http2, serverName = "" }: DialTarget): string {
  return `${tls ? "tls" : "tcp"} ${http2 ? "h2" : "http/1.1"} ${address} ${port} ${serverName}`;
}
