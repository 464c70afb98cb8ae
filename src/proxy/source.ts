import { systemClock, type Clock } from "#base/clock.ts";
import { silentLog, type Log } from "#base/log.ts";
import { triggerTimeAnnotation, type EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import type { Client } from "#client/contract.ts";
import { startInformer } from "#client/informer.ts";
import { newerRevision, serviceKeyOfSlice } from "#routing/l4/compile.ts";
import { createServiceCompiler } from "#routing/l4/compiler.ts";
import { diffServices } from "#routing/l4/diff.ts";
import type { ServiceDiff, ServiceTable } from "#routing/l4/table.ts";

/** `triggerTimes`: when the changes of pods happened that the difference brings, ms since the epoch. */
export type ServiceListener = (diff: ServiceDiff, triggerTimes: readonly number[]) => void;

/** The layer-4 table as it follows the API, shared by the proxies of all nodes of a process. */
export interface ServiceSource {
  /** Resolves when Services and EndpointSlices have been listed; nothing is told before. */
  readonly synced: Promise<void>;
  table(): ServiceTable;
  /** The newest revision seen of either kind, bookmarks included; all of it has been told when this returns. */
  revision(): string;
  /** Tells the listener everything as `added` (once synced), then each difference. Returns how to stop it. */
  subscribe(listener: ServiceListener): () => void;
  stop(): void;
}

export interface ServiceSourceOptions {
  readonly family?: 4 | 6;
  readonly log?: Log;
  readonly clock?: Clock;
}

/** Of Services that may never come. */
const rememberedTriggers = 100;

export function startServiceSource(
  client: Client,
  { family = 4, log = silentLog, clock = systemClock }: ServiceSourceOptions = {},
): ServiceSource {
  const compiler = createServiceCompiler({ family });
  const services = startInformer(client, "Service", { log, clock });
  const slices = startInformer(client, "EndpointSlice", { log, clock });
  const listeners = new Set<ServiceListener>();
  let triggers: { service: string; time: number }[] = [];
  let isSynced = false;
  let isWaiting = false;
  let stopped = false;

  function flush(): void {
    isWaiting = false;
    if (!isSynced || stopped) return;
    const diff = compiler.take();
    if (diff !== undefined) tell(diff);
  }

  /** Deleted objects and other kinds move the revision too: the lists know it better than the objects left. */
  function newest(revision: string): string {
    return newerRevision(newerRevision(revision, services.revision()), slices.revision());
  }

  function tell(diff: ServiceDiff): void {
    const stamped = { ...diff, revision: newest(diff.revision) };
    // The two watches have no order between them: a change of a Service that is not here yet is told with the Service.
    const early = triggers.filter(({ service }) => services.get(service) === undefined);
    const times = triggers.filter((trigger) => !early.includes(trigger)).map(({ time }) => time);
    triggers = early.slice(-rememberedTriggers);
    for (const listener of listeners) listener(stamped, times);
  }

  function everything(): ServiceDiff {
    const diff = diffServices(undefined, compiler.table());
    return { ...diff, revision: newest(diff.revision) };
  }

  /** All that arrives in one turn of the loop is compiled once. */
  function changed(): void {
    if (isWaiting || !isSynced) return;
    isWaiting = true;
    queueMicrotask(flush);
  }

  services.onChange((change) => {
    compiler.service(change);
    changed();
  });
  slices.onChange((change) => {
    compiler.slice(change);
    const trigger = triggerOf(change.after);
    if (change.after !== undefined && trigger !== undefined && trigger !== triggerOf(change.before)) {
      triggers.push({ service: serviceKeyOfSlice(change.after), time: Date.parse(trigger) });
    }
    changed();
  });
  const synced = Promise.all([services.synced, slices.synced]).then(() => {
    if (stopped) return;
    compiler.take();
    triggers = [];
    isSynced = true;
    tell(everything());
  });

  return {
    synced,
    table: () => {
      flush();
      return compiler.table();
    },
    revision: () => {
      flush();
      return newest("0");
    },
    subscribe(listener) {
      flush();
      listeners.add(listener);
      if (isSynced) listener(everything(), []);
      return () => listeners.delete(listener);
    },
    stop() {
      stopped = true;
      listeners.clear();
      services.stop();
      slices.stop();
    },
  };
}

function triggerOf(slice: EndpointSlice | undefined): string | undefined {
  const text = slice?.metadata.annotations?.[triggerTimeAnnotation];
  return text === undefined || Number.isNaN(Date.parse(text)) ? undefined : text;
}
