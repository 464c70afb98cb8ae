import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { NameDiff } from "#routing/names/table.ts";
import { clientRateMemory } from "./client-rate.ts";
import type { ListenAddress, Upstream } from "./contract.ts";
import { packDiff, type PackedDiff } from "./entry.ts";
import { sumCounters, type DnsCounters } from "./metrics.ts";
import { oldestOf } from "./revision.ts";
import { startSeat, type Seat } from "./seat.ts";
import { createDnsServer, type ServerSettings } from "./server.ts";
import type { DnsSettings } from "./settings.ts";

/** A DNS server, wherever it runs. */
export interface ServerHost {
  /**
   * Hands over a difference, or one of its parts; `applied` tells when answers show all of it. Resolves when the next
   * part may follow. Never rejects.
   */
  apply(diff: NameDiff): Promise<void>;
  listen(at: ListenAddress): Promise<ListenAddress>;
  setUpstreams(upstreams: readonly Upstream[]): void;
  /** Resolves once all answers are given by the settings, and by the names that changed with them. */
  configure(settings: DnsSettings, diff: NameDiff | undefined): Promise<void>;
  counters(): Promise<DnsCounters>;
  stop(): Promise<void>;
}

export interface HostOptions {
  readonly settings: ServerSettings;
  readonly log: Log;
  readonly clock: Clock;
  /** Every answer shows this revision. */
  readonly applied: (revision: string) => void;
  /** All names now in parts, for a worker that starts anew; none before the first difference. */
  readonly whole: () => Promise<Iterable<NameDiff>>;
}

/** On this thread. */
export function hostHere({ settings, log, clock, applied }: HostOptions): ServerHost {
  const server = createDnsServer(settings, { log, clock });
  const apply = async (diff: NameDiff) => {
    server.apply(packDiff(diff));
    if (!diff.more) applied(diff.revision);
  };
  return {
    apply,
    listen: (at) => server.listen(at),
    setUpstreams: (upstreams) => server.setUpstreams(upstreams),
    async configure(next, diff) {
      server.configure(next);
      if (diff !== undefined) await apply(diff);
    },
    counters: async () => server.counters(),
    stop: () => server.stop(),
  };
}

/**
 * In worker threads that share each address (SO_REUSEPORT): the kernel gives every client to one of them. One that dies
 * is started again, with its listeners and all names, while the others answer.
 */
export function hostInWorkers(options: HostOptions & { readonly url: URL }): ServerHost {
  const { log, clock, applied, whole, url } = options;
  let settings: ServerSettings = { ...options.settings, sharesPort: true, rateMemory: clientRateMemory() };
  const listening: ListenAddress[] = [];
  const seats: Seat[] = [];
  /** Those that will be given all names as soon as they stand still. */
  const unfurnished = new Set<Seat>();
  while (seats.length < wanted()) seats.push(newSeat());

  function wanted(): number {
    return settings.settings?.workers ?? 1;
  }

  function newSeat(): Seat {
    return startSeat({
      url,
      data: () => ({ settings }),
      log,
      clock,
      onApplied: tellApplied,
      onRestart: (seat) => void furnish(seat),
    });
  }

  /** What all workers have that answer now. */
  function tellApplied(): void {
    const revision = oldestOf(seats.flatMap((seat) => seat.applied() ?? []));
    if (revision !== undefined) applied(revision);
  }

  /** One that dies meanwhile comes back with all names. */
  async function hand(seat: Seat, diff: PackedDiff): Promise<void> {
    await seat.ask({ tell: "diff", diff }).catch(() => undefined);
  }

  /** Names first: it must not answer before it knows what the others know. */
  async function furnish(seat: Seat): Promise<void> {
    unfurnished.add(seat);
    for (const diff of await whole()) void hand(seat, packDiff(diff));
    unfurnished.delete(seat);
    const opened = listening.map((at) =>
      seat.ask({ tell: "listen", at, exclusive: false }).catch((error: unknown) => {
        log.error({ ...at, error: String(error) }, "the new DNS worker cannot listen");
      }),
    );
    await Promise.all(opened);
  }

  return {
    async apply(diff) {
      const packed = packDiff(diff);
      await Promise.all(seats.filter((seat) => !unfurnished.has(seat)).map((seat) => hand(seat, packed)));
    },
    async listen(at) {
      const [first, ...others] = seats as [Seat, ...Seat[]];
      const opened = (await first.ask({ tell: "listen", at, exclusive: true })) as ListenAddress;
      if (!listening.some(({ address, port }) => address === opened.address && port === opened.port))
        listening.push(opened);
      // One that is dead now listens when it comes back.
      const asked = others.map((seat) => seat.ask({ tell: "listen", at: opened, exclusive: false }));
      const failed = (await Promise.allSettled(asked)).filter((result) => result.status === "rejected");
      for (const { reason } of failed)
        log.warn({ ...opened, error: String(reason) }, "one of the DNS workers does not listen");
      return opened;
    },
    setUpstreams(upstreams) {
      settings = { ...settings, upstreams };
      for (const seat of seats) seat.tell({ tell: "upstreams", upstreams });
    },
    async configure(next, diff) {
      settings = { ...settings, settings: next };
      const packed = diff && packDiff(diff);
      if (wanted() < seats.length) {
        // A socket that closes takes along what the kernel has queued for it.
        log.info({ workers: seats.length, wanted: wanted() }, "fewer DNS workers are there from the next start on");
      }
      // One that dies meanwhile comes back with the new settings.
      const told = seats.map((seat) =>
        seat.ask({ tell: "configure", settings: next, diff: packed }).catch(() => undefined),
      );
      const added: Promise<void>[] = [];
      while (seats.length < wanted()) {
        const seat = newSeat();
        seats.push(seat);
        added.push(furnish(seat));
      }
      await Promise.all([...told, ...added]);
      tellApplied();
    },
    async counters() {
      return sumCounters(await Promise.all(seats.map((seat) => seat.counters())));
    },
    async stop() {
      await Promise.all(seats.map((seat) => seat.stop()));
    },
  };
}
