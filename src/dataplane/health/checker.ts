import type { LookupFunction } from "node:net";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { BackendEndpoint, BackendEntry, HealthCheck, TableChange } from "../table.ts";
import type { Probe } from "./probe.ts";

export interface CheckerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly lookup: LookupFunction;
  readonly probe: Probe;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  /** Brings what was found out into force. */
  readonly changed: (change: TableChange) => void;
}

/** One endpoint that is asked again and again. */
interface Watch {
  isDown: boolean;
  /** Answers in a row that say otherwise than `isDown`. */
  otherwise: number;
  cancel: () => void;
}

interface Watched {
  entry: BackendEntry;
  readonly watches: Map<string, Watch>;
}

/**
 * Asks the endpoints of backends that want it how they are, once for all workers. It stands before the workers: a change
 * on its way to them passes `mark`, which puts into it what is known, and what is found out later goes to them as a change
 * of its own. An endpoint is well until it was heard otherwise.
 */
export class HealthChecker {
  private readonly options: CheckerOptions;
  private readonly backends = new Map<string, Watched>();
  private revision = "";

  constructor(options: CheckerOptions) {
    this.options = options;
  }

  mark(change: TableChange): TableChange {
    this.revision = change.revision;
    if (this.backends.size === 0 && change.backends.every(([, entry]) => entry?.check === undefined)) return change;
    const backends = change.backends.map(([id, entry]) => [id, this.follow(id, entry)] as const);
    return { ...change, backends };
  }

  stop(): void {
    for (const id of this.backends.keys()) this.forget(id);
  }

  private follow(id: string, entry: BackendEntry | undefined): BackendEntry | undefined {
    const known = this.backends.get(id);
    if (entry?.check === undefined) {
      this.forget(id);
      return entry;
    }
    const watched: Watched = { entry, watches: new Map() };
    const isSame = known !== undefined && questionOf(known.entry) === questionOf(entry);
    for (const endpoint of entry.endpoints) {
      const name = nameOf(endpoint);
      const before = known?.watches.get(name);
      known?.watches.delete(name);
      const watch = before ?? { isDown: false, otherwise: 0, cancel: () => {} };
      watched.watches.set(name, watch);
      if (before === undefined || !isSame) this.begin(id, endpoint, watch, entry.check);
    }
    this.forget(id);
    this.backends.set(id, watched);
    return marked(watched);
  }

  private forget(id: string): void {
    for (const { cancel } of this.backends.get(id)?.watches.values() ?? []) cancel();
    this.backends.delete(id);
  }

  /** The first question comes at any time of the interval, so that not all are asked at once. */
  private begin(id: string, endpoint: BackendEndpoint, watch: Watch, { intervalMs }: HealthCheck): void {
    watch.cancel();
    watch.cancel = this.options.clock.after(intervalMs * this.options.random(), () => this.ask(id, endpoint, watch));
  }

  private ask(id: string, endpoint: BackendEndpoint, watch: Watch): void {
    const { clock, lookup, probe, random } = this.options;
    const entry = this.backends.get(id)?.entry;
    if (entry?.check === undefined) return;
    const { check, protocol, serverName } = entry;
    const { intervalMs, timeoutMs } = check;
    const heard = (problem: string | undefined) => {
      cancelTimeout();
      watch.cancel = clock.after(intervalMs * (0.9 + 0.2 * random()), () => this.ask(id, endpoint, watch));
      this.note(id, endpoint, watch, problem);
    };
    const cancelTimeout = clock.after(timeoutMs, () => {
      cancelProbe();
      heard("no answer in time");
    });
    const cancelProbe = probe({ endpoint, protocol, serverName, check, lookup }, heard);
    watch.cancel = () => {
      cancelTimeout();
      cancelProbe();
    };
  }

  private note(id: string, endpoint: BackendEndpoint, watch: Watch, problem: string | undefined): void {
    const watched = this.backends.get(id);
    const check = watched?.entry.check;
    if (watched === undefined || check === undefined) return;
    const isBad = problem !== undefined;
    watch.otherwise = isBad === watch.isDown ? 0 : watch.otherwise + 1;
    if (watch.otherwise < (isBad ? check.unhealthy : check.healthy)) return;
    if (isBad === watch.isDown) return;
    watch.isDown = isBad;
    watch.otherwise = 0;
    const fields = { backend: id, endpoint: nameOf(endpoint) };
    if (isBad) this.options.log.warn({ ...fields, problem }, "an endpoint fails its health check and gets no requests");
    else this.options.log.info(fields, "an endpoint passes its health check again");
    const backends = [[id, marked(watched)] as const];
    this.options.changed({ hosts: [], backends, certificates: [], revision: this.revision });
  }
}

function marked({ entry, watches }: Watched): BackendEntry {
  const endpoints = entry.endpoints.map((endpoint) =>
    watches.get(nameOf(endpoint))?.isDown === true ? { ...endpoint, isDown: true } : endpoint,
  );
  return { ...entry, endpoints };
}

/** What decides how an endpoint is asked, and how often. */
function questionOf({ check, protocol, serverName }: BackendEntry): string {
  return JSON.stringify([check, protocol, serverName]);
}

function nameOf({ address, port }: BackendEndpoint): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
