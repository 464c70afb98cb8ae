import type { BackendLimits } from "../table.ts";

/** What a breaker counts of an endpoint. */
export interface Guarded {
  /** Connections that are open or being made. */
  readonly connections: number;
  /** Whether a request can go out without a further connection. */
  readonly hasFree: boolean;
  /** Connections that wait in the pool. */
  readonly idleCount: number;
  /** Closes the connection that has waited longest; false when there is none. */
  dropIdle(): boolean;
}

/**
 * Keeps what goes to one backend within its limits: a request that finds no connection waits for its turn, in the order
 * of arrival, and what is beyond that is refused at once. Each worker keeps to its share of the limits.
 */
export class Breaker {
  /** Requests that have an endpoint. */
  active = 0;
  private limits: Required<BackendLimits>;
  private readonly workers: number;
  private readonly waiting: (() => boolean)[] = [];

  constructor(workers: number) {
    this.workers = workers;
    this.limits = { requests: Infinity, connections: Infinity, connectionsAnEndpoint: Infinity, pending: 0 };
  }

  /** Uses these limits from now on. */
  adopt({ requests = 0, connections = 0, connectionsAnEndpoint = 0, pending = 0 }: BackendLimits = {}): void {
    const share = (most: number) => (most === 0 ? Infinity : Math.ceil(most / this.workers));
    this.limits = {
      requests: share(requests),
      connections: share(connections),
      connectionsAnEndpoint: share(connectionsAnEndpoint),
      pending: Math.ceil(pending / this.workers),
    };
    if (this.waiting.length > 0) queueMicrotask(() => this.wakeAll());
  }

  /** Why a further request is refused, `undefined` when it is not. */
  refusal(): string | undefined {
    const { requests } = this.limits;
    if (this.active + this.waiting.length < requests) return undefined;
    return `${requests} requests are under way, no more may be`;
  }

  /** Others wait already, and go first. */
  get hasQueue(): boolean {
    return this.waiting.length > 0;
  }

  /** Whether a request may go to this one of the backend's endpoints. */
  hasRoom(endpoint: Guarded, all: readonly Guarded[]): boolean {
    const { connections, connectionsAnEndpoint } = this.limits;
    if (connections === Infinity && connectionsAnEndpoint === Infinity) return true;
    if (endpoint.hasFree) return true;
    return endpoint.connections < connectionsAnEndpoint && busyOf(all) < connections;
  }

  /** A connection is about to be made to one of them: those that wait for requests go where there would be too many. */
  makeRoom(endpoint: Guarded, all: readonly Guarded[]): void {
    const { connections, connectionsAnEndpoint } = this.limits;
    while (endpoint.connections > connectionsAnEndpoint && endpoint.dropIdle());
    if (connections === Infinity) return;
    let open = all.reduce((sum, each) => sum + each.connections, 0);
    for (const each of all) {
      while (open > connections && each.dropIdle()) open -= 1;
    }
  }

  /**
   * Waits for a turn; `resume` says whether it was of use, or is given another one. Returns how to give up, or why there
   * is no waiting.
   */
  wait(resume: () => boolean): (() => void) | string {
    const { limits, waiting } = this;
    if (limits.pending === 0) return "no connection is free";
    if (waiting.length >= limits.pending) return `no connection is free, and ${waiting.length} requests wait for one`;
    waiting.push(resume);
    return () => {
      const at = waiting.indexOf(resume);
      if (at >= 0) waiting.splice(at, 1);
    };
  }

  entered(): void {
    this.active += 1;
  }

  /** A request gave its endpoint back; who waits gets a turn once its connection is back, too. */
  left(): void {
    this.active -= 1;
    if (this.waiting.length > 0) queueMicrotask(() => this.wake());
  }

  /** Gives a turn to the first who has a use for it; false when there is none. */
  private wake(): boolean {
    const all = this.waiting.slice();
    for (const resume of all) {
      if (!this.waiting.includes(resume) || !resume()) continue;
      const at = this.waiting.indexOf(resume);
      if (at >= 0) this.waiting.splice(at, 1);
      return true;
    }
    return false;
  }

  private wakeAll(): void {
    while (this.wake());
  }
}

/** Connections that requests use; of shared ones, all. */
function busyOf(all: readonly Guarded[]): number {
  return all.reduce((sum, { connections, idleCount }) => sum + connections - idleCount, 0);
}
