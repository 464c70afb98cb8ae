import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { createContext } from "./context.ts";
import { addTo, counter, type CounterSlot } from "./counters.ts";
import { Deadlines } from "./deadline.ts";
import { createFailureRing, type FailureRecord } from "./failures.ts";
import type { StreamContext } from "./l4/context.ts";
import { createPassthrough } from "./l4/passthrough.ts";
import { Streams } from "./l4/streams.ts";
import type { Limits } from "./limits.ts";
import { AccessLog, type AccessLogOptions } from "./log/access-log.ts";
import { LiveTable } from "./live-table.ts";
import type { Served } from "./log/served.ts";
import type { MeterMemory } from "./meter/memory.ts";
import { Meter } from "./meter/meter.ts";
import { compileRanges } from "./ranges.ts";
import { findHost } from "./route.ts";
import type { DataplaneOptions, ListenerSpec } from "./running.ts";
import { serveConnection, type Client } from "./serve.ts";
import type { TableChange } from "./table.ts";
import type { TlsSettings } from "./tls/settings.ts";
import { HostServers } from "./tls/host-servers.ts";
import { TlsTerminator, type NameRule } from "./tls/entry.ts";
import type { Sampling, Span } from "./trace/span.ts";
import { Tracer } from "./trace/tracer.ts";
import type { Connection } from "./transport/connection.ts";
import { listen, type Listening, type ListenOptions } from "./transport/listen.ts";
import { createLookup } from "./transport/lookup.ts";
import { createPublicDialer } from "./transport/public.ts";
import { usableHandles } from "./transport/raw-check.ts";
import { createRawDialer } from "./transport/raw.ts";

export interface EngineOptions {
  readonly listeners: readonly ListenerSpec[];
  /** Whether other workers listen on the same ports. */
  readonly shared: boolean;
  /** The number of this worker, from 0. */
  readonly worker: number;
  readonly limits: Limits;
  readonly trustedProxies: readonly string[];
  readonly nameServers: readonly string[];
  readonly transport: DataplaneOptions["transport"];
  readonly proxyProtocol: NonNullable<DataplaneOptions["proxyProtocol"]>;
  readonly tls: TlsSettings;
  /** Speak HTTP/2 with clients that want it. */
  readonly http2: boolean;
  readonly ticketKeys?: Buffer;
  readonly accessLog: AccessLogOptions | undefined;
  /** Which requests of traced routes are told; nothing is without. */
  readonly sampling: Sampling | undefined;
  readonly passSpans: (spans: readonly Span[], dropped: number) => void;
  /** Shared by workers, so that a client's limits hold at all of them together. */
  readonly meter: MeterMemory;
  readonly total: CounterSlot;
  readonly slotOf: (id: string) => CounterSlot;
  /** What it serves from its first connection on; nothing when absent. */
  readonly first?: TableChange | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** What serves in one thread. */
export interface Engine {
  readonly addresses: readonly ListenerSpec[];
  /** Resolves when the ports of new streams accept; everything else is in force when it returns. */
  apply(change: TableChange): Promise<void>;
  failures(): readonly FailureRecord[];
  /** Some of the last requests, oldest first. */
  sample(): readonly Served[];
  /** Resolves when every connection is closed. */
  stop(drainMs: number): Promise<void>;
}

/** Starts serving in this thread. Rejects with `ListenError`; nothing listens then. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { limits, clock, log, total } = options;
  const handles = options.transport === "public" ? undefined : await usableHandles();
  if (handles === undefined && options.transport !== "public") {
    log.info({ node: process.version }, "bytes go by sockets, which costs more: handles did not pass their check");
  }
  const onFault = (error: unknown) =>
    log.error(
      { error: error instanceof Error ? error.stack : String(error) },
      "a defect ended a connection; please report it",
    );
  const deadlines = new Deadlines(clock, limits.tickMs, onFault);
  const failures = createFailureRing();
  const table = new LiveTable({
    start: options.worker * 7919,
    idleLimit: limits.upstreamIdle,
    workers: options.meter.workers,
    slotOf: options.slotOf,
    now: () => deadlines.now,
    tls: options.tls,
    badCertificate: (id, reason) =>
      log.warn({ certificate: id, reason }, "a certificate cannot be used; the last good one stays"),
    ejected: (backend, endpoint, ms) =>
      log.warn({ backend, endpoint, seconds: ms / 1000 }, "an endpoint that keeps failing is left out for a while"),
  });
  const trusts = compileRanges(options.trustedProxies);
  const accessLog = options.accessLog === undefined ? undefined : new AccessLog(options.accessLog, clock, log);
  const publicDialer = createPublicDialer(onFault, options.nameServers);
  const { sampling } = options;
  const tracer = sampling === undefined ? undefined : new Tracer(sampling, clock, options.passSpans);
  const context = createContext({
    clock,
    log,
    onFault,
    limits,
    deadlines,
    dialer: handles === undefined ? publicDialer : createRawDialer({ handles, onFault }, publicDialer),
    table,
    failures,
    total,
    trusts,
    accessLog,
    meter: new Meter(options.meter, options.worker, clock),
    tracer,
  });
  const clients = new Set<Client>();
  let emptied: (() => void) | undefined;
  /** The time to drain is over: what comes late, such as the end of a handshake, is closed. */
  let over = false;

  function adopt(client: Client): void {
    addTo(total, counter.open, 1);
    addTo(total, counter.accepted, 1);
    clients.add(client);
  }

  function forget(client: Client): void {
    if (!clients.delete(client)) return;
    addTo(total, counter.open, -1);
    if (clients.size === 0) emptied?.();
  }

  // Idle connections to endpoints are looked after as long as there are any clients or any of them.
  const idleSweep = {
    deadline: 0,
    onDeadline() {
      table.expire(deadlines.now, limits.upstreamIdleMs);
      idleSweep.deadline = deadlines.now + 1000;
    },
  };
  deadlines.add(idleSweep);
  idleSweep.onDeadline();

  const accept = (connection: Connection) => {
    if (over) return connection.destroy();
    const client = serveConnection(context, connection, options.http2, () => forget(client));
    adopt(client);
  };
  const trustsProxy = compileRanges(options.proxyProtocol.from);
  const streamContext: StreamContext = {
    clock,
    log,
    limits,
    deadlines,
    dialer: context.dialer,
    handles,
    lookup: createLookup(options.nameServers),
    failures,
    onFault,
    trustsProxy,
  };
  const passthrough = createPassthrough(streamContext, { table, adopt, forget });
  const hostServers = new HostServers(table, log);
  const byHost = hostServers.ruleFor(() => tls);
  const ruleOfName: NameRule = (serverName) => passthrough(serverName) ?? byHost(serverName);
  const tls = new TlsTerminator({
    handshakeMs: limits.headerMs,
    greetingMs: limits.greetingMs,
    http2: options.http2,
    ticketKeys: options.ticketKeys,
    settings: options.tls,
    clock,
    deadlines,
    onFault,
    handles,
    contextOf(serverName) {
      const id = certificateOf(table, serverName);
      return id === table.defaultCertificate ? undefined : table.certificates.context(id);
    },
    stapleOf: (certificate) => table.certificates.staple(certificate),
    stapleFor: (serverName) => table.certificates.stapleOf(certificateOf(table, serverName)),
    ruleOfName: () => (table.namedHosts === 0 ? undefined : ruleOfName),
    accept,
  });
  const listenOptions: ListenOptions = {
    reusePort: options.shared,
    handles,
    clock,
    greetingMs: limits.greetingMs,
    believesProxy: options.proxyProtocol.isRequired ? trustsProxy : undefined,
    tls,
    most: limits.connections,
    admits: () => clients.size + tls.busy < limits.connections,
    onFault,
    accept,
  };
  const host = options.listeners[0]?.host ?? "0.0.0.0";
  const streams = new Streams(streamContext, {
    host,
    shared: options.shared,
    start: options.worker * 7919,
    slotOf: options.slotOf,
    admits: listenOptions.admits,
    adopt,
    forget,
  });
  function apply(change: TableChange): Promise<void> {
    table.apply(change);
    if (change.hosts.length + change.certificates.length > 0) hostServers.forget();
    const listens = streams.apply(change.streams ?? []);
    const { defaultCertificate } = table;
    if (defaultCertificate === undefined) return listens;
    const touched =
      change.defaultCertificate !== undefined || change.certificates.some(([id]) => id === defaultCertificate);
    const entry = touched ? table.certificates.entry(defaultCertificate) : undefined;
    if (entry !== undefined) tls.setDefault(entry);
    return listens;
  }

  const listening: Listening[] = [];
  try {
    if (options.first !== undefined) await apply(options.first);
    for (const spec of options.listeners) listening.push(await listen(spec, listenOptions));
  } catch (error) {
    for (const listener of listening) listener.close();
    streams.stop();
    deadlines.stop();
    accessLog?.stop();
    throw error;
  }

  return {
    addresses: listening.map(({ address }) => address),
    apply,
    failures: () => failures.list(),
    sample: () => context.sample.list(),
    async stop(drainMs) {
      context.draining = true;
      // What the kernel has taken for us by now is served: it would be reset with its listener.
      await new Promise((resolve) => setImmediate(resolve));
      for (const listener of listening) listener.close();
      streams.stop();
      for (const client of clients) client.drain();
      if (clients.size > 0) {
        await new Promise<void>((resolve) => {
          const cancel = clock.after(drainMs, () => {
            over = true;
            for (const client of clients) client.destroy();
          });
          emptied = () => {
            cancel();
            resolve();
          };
        });
      }
      over = true;
      for (const listener of listening) listener.destroy();
      tls.destroy();
      table.retire();
      deadlines.stop();
      accessLog?.stop();
      tracer?.flush();
    },
  };
}

/** The certificate of the host entry that takes the name, else the default one. */
function certificateOf({ certificates, hosts, defaultCertificate }: LiveTable, serverName: string): string | undefined {
  const own = findHost(hosts, serverName.toLowerCase())?.entry.certificate;
  return certificates.context(own) === undefined ? defaultCertificate : own;
}
