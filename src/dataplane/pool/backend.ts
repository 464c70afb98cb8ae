import { createTwoChoices, type Balancer, type Random } from "../balance/balancer.ts";
import { MovingMean } from "../balance/ewma.ts";
import { createRoundRobin } from "../balance/round-robin.ts";
import { addTo, counter, createSlot, type CounterSlot } from "../counters.ts";
import type { BackendEntry } from "../table.ts";
import type { DialTarget } from "../transport/connection.ts";
import { Breaker } from "./breaker.ts";
import { Endpoint } from "./endpoint.ts";
import { endpointName } from "./endpoint-name.ts";
import { defaultOutliers, isIn, noteFailure, panicShare } from "./outliers.ts";
import { RetryBudget } from "./retry-budget.ts";
import { shareOf } from "./slow-start.ts";
import { Preferences, type Preference } from "./preference.ts";

export interface BackendOptions {
  /** Sets this worker's turns apart from those of others. */
  readonly start: number;
  /** Idle connections kept to one endpoint. */
  readonly idleLimit: number;
  readonly slot: CounterSlot;
  /** Where an endpoint of this name counts. */
  readonly slotOfEndpoint?: (name: string) => CounterSlot;
  /** How many workers share its limits; 1 when absent. */
  readonly workers?: number;
  readonly random?: Random;
  /** `Deadlines.now`, for endpoints that come later. */
  readonly now?: () => number;
  /** Told when an endpoint is left out because it kept failing. */
  readonly ejected?: (endpoint: Endpoint, ms: number) => void;
}

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
  private readonly ejected: BackendOptions["ejected"];
  private readonly clock: () => number;
  /** Every endpoint gets its full share from then on. */
  private warmAt = 0;
  private readonly breaker: Breaker;
  /** How many of its requests may be on a further try. */
  readonly retries: RetryBudget;
  /** No endpoint is left out for longer than until then. */
  private outUntil = 0;
  /** Some of them fail their health check. */
  private hasDown = false;

  constructor(entry: BackendEntry, options: BackendOptions) {
    this.entry = entry;
    this.start = options.start;
    this.random = options.random ?? Math.random;
    this.order = this.balancerOf(entry);
    this.preferences = new Preferences([], this.random);
    this.idleLimit = options.idleLimit;
    this.slot = options.slot;
    this.slotOfEndpoint = options.slotOfEndpoint ?? createSlot;
    this.breaker = new Breaker(options.workers ?? 1);
    this.retries = new RetryBudget(() => this.breaker.active);
    this.ejected = options.ejected;
    this.clock = options.now ?? (() => 0);
    this.update(entry);
  }

  /** Brings the endpoints in line with the entry. Endpoints that left finish what they do and keep no connection. */
  update(entry: BackendEntry): void {
    const tls = entry.protocol === "https" || entry.protocol === "h2s";
    const http2 = entry.protocol === "h2" || entry.protocol === "h2s";
    if (entry.balance !== this.entry.balance) this.order = this.balancerOf(entry);
    const known = new Map(this.endpoints.map((endpoint) => [keyOf(endpoint), endpoint]));
    const hasOthers = known.size > 0;
    this.entry = entry;
    this.endpoints = entry.endpoints.map(({ address, port, isDown = false }) => {
      const target = { address, port, tls, http2, serverName: entry.serverName };
      const key = keyOf(target);
      const endpoint = known.get(key) ?? this.join(target, hasOthers);
      known.delete(key);
      if (endpoint.isDown && !isDown) this.beginSlowly(endpoint);
      endpoint.isDown = isDown;
      return endpoint;
    });
    for (const gone of known.values()) this.retireEndpoint(gone);
    this.preferences = new Preferences(this.endpoints, this.random);
    this.hasDown = this.endpoints.some(({ isDown }) => isDown);
    this.breaker.adopt(entry.limits);
  }

  /** Where all are new there is nobody to take the others' part. */
  private join(target: DialTarget, hasOthers: boolean): Endpoint {
    const endpoint = new Endpoint(target, this.idleLimit, this.slotOfEndpoint(endpointName(target)));
    if (hasOthers) this.beginSlowly(endpoint);
    return endpoint;
  }

  private beginSlowly(endpoint: Endpoint): void {
    const { slowStartMs = 0 } = this.entry;
    if (slowStartMs === 0) return;
    endpoint.joinedAt = this.clock();
    this.warmAt = endpoint.joinedAt + slowStartMs;
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
   * The endpoint for the next try: the preferred one, else as the entry balances; never one of `tried`, none that has no
   * room, and as long as there is another not one that just failed, fails its check or is left out. Where less than half of the endpoints
   * would be left, those that are left out are taken, too.
   */
  pick(tried: readonly Endpoint[], now: number, preference?: Preference): Endpoint | undefined {
    this.now = now;
    const { breaker, endpoints } = this;
    const fresh = (endpoint: Endpoint) => !tried.includes(endpoint) && breaker.hasRoom(endpoint, endpoints);
    const panics = (this.hasDown || now < this.outUntil) && this.panics(now);
    const sound = (endpoint: Endpoint) =>
      endpoint.failedUntil <= now && (panics || isIn(endpoint, now)) && fresh(endpoint);
    if (preference !== undefined) {
      const preferred = this.preferred(preference);
      if (preferred !== undefined && preference.stays === true) return fresh(preferred) ? preferred : undefined;
      const found = this.preferences.find(preference, sound) ?? this.preferences.find(preference, fresh);
      if (found !== undefined) return found;
    }
    const next = now < this.warmAt ? this.nextOfReady(sound, now) : this.order.next(endpoints, sound);
    return next ?? this.order.next(endpoints, fresh);
  }

  /** Endpoints that have just joined have less than their share. */
  private nextOfReady(sound: (endpoint: Endpoint) => boolean, now: number): Endpoint | undefined {
    const { slowStartMs = 0 } = this.entry;
    const ready = (endpoint: Endpoint) =>
      sound(endpoint) && this.random() < shareOf(endpoint.joinedAt, slowStartMs, now);
    return this.order.next(this.endpoints, ready);
  }

  private panics(now: number): boolean {
    const usable = this.endpoints.filter((endpoint) => isIn(endpoint, now)).length;
    return usable < this.endpoints.length * panicShare;
  }

  // What may be under way.

  /** Why a further request is refused, `undefined` when it is not. */
  refusal(): string | undefined {
    return this.breaker.refusal();
  }

  /** Others wait for a connection, and go first. */
  get hasQueue(): boolean {
    return this.breaker.hasQueue;
  }

  /** Whether a request that tried these endpoints finds none only because none has room. */
  isFull(tried: readonly Endpoint[]): boolean {
    return this.endpoints.some(
      (endpoint) => !tried.includes(endpoint) && !this.breaker.hasRoom(endpoint, this.endpoints),
    );
  }

  /** Waits for room, see `Breaker.wait`. */
  wait(resume: () => boolean): (() => void) | string {
    return this.breaker.wait(resume);
  }

  /** A request goes to this endpoint. */
  enter(endpoint: Endpoint): void {
    endpoint.active += 1;
    this.breaker.entered();
  }

  /** A request needs a new connection to the endpoint that it entered. */
  makeRoom(endpoint: Endpoint): void {
    this.breaker.makeRoom(endpoint, this.endpoints);
  }

  /** It is over, or goes elsewhere. */
  leave(endpoint: Endpoint): void {
    endpoint.active -= 1;
    this.breaker.left();
  }

  // How endpoints do.

  /** It gave no answer, or one that says that it cannot serve. */
  failed(endpoint: Endpoint, now: number): void {
    if (endpoint.retired) return;
    const ms = noteFailure(endpoint, this.endpoints, this.entry.outliers ?? defaultOutliers, now);
    if (ms === 0) return;
    this.outUntil = Math.max(this.outUntil, endpoint.ejectedUntil);
    addTo(this.slot, counter.ejections, 1);
    if (!endpoint.countsAsEjected) addTo(this.slot, counter.ejected, 1);
    endpoint.countsAsEjected = true;
    this.ejected?.(endpoint, ms);
  }

  succeeded(endpoint: Endpoint): void {
    endpoint.failuresInARow = 0;
  }

  /** Closes connections that waited too long, and takes endpoints back whose time is over. */
  expire(now: number, idleMs: number): void {
    for (const endpoint of this.endpoints) {
      endpoint.expire(now, idleMs);
      if (endpoint.countsAsEjected && endpoint.ejectedUntil <= now) this.takeBack(endpoint);
    }
  }

  retire(): void {
    for (const endpoint of this.endpoints) this.retireEndpoint(endpoint);
  }

  private retireEndpoint(endpoint: Endpoint): void {
    if (endpoint.countsAsEjected) this.takeBack(endpoint);
    endpoint.retire();
  }

  private takeBack(endpoint: Endpoint): void {
    endpoint.countsAsEjected = false;
    addTo(this.slot, counter.ejected, -1);
  }
}

function keyOf({ address, port, tls, http2, serverName = "" }: DialTarget): string {
  return `${tls ? "tls" : "tcp"} ${http2 ? "h2" : "http/1.1"} ${address} ${port} ${serverName}`;
}
