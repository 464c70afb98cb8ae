import type { Family } from "#base/cidr.ts";
import { systemClock, type Clock } from "#base/clock.ts";
import { silentLog, type Log } from "#base/log.ts";
import { triggerTimeAnnotation, type EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import type { Client } from "#client/contract.ts";
import { startInformer } from "#client/informer.ts";
import { newerRevision, serviceKeyOfSlice } from "#routing/l4/compile.ts";
import { createServiceCompiler, type ServiceCompiler } from "#routing/l4/compiler.ts";
import { diffServices } from "#routing/l4/diff.ts";
import type { ServiceDiff, ServiceTable } from "#routing/l4/table.ts";

/** `triggerTimes`: when the changes of pods happened that the difference brings, ms since the epoch. */
export type ServiceListener = (diff: ServiceDiff, triggerTimes: readonly number[]) => void;

/**
 * The layer-4 tables as they follow the API, shared by the proxies of all nodes of a process: one for each family that
 * somebody asks for, which is IPv4 where none is named. A family that nobody asks for costs nothing.
 */
export interface ServiceSource {
  /** Resolves when Services and EndpointSlices have been listed; nothing is told before. */
  readonly synced: Promise<void>;
  table(family?: Family): ServiceTable;
  /** The newest revision seen of either kind, bookmarks included; all of it has been told when this returns. */
  revision(): string;
  /** Tells the listener everything as `added` (once synced), then each difference. Returns how to stop it. */
  subscribe(listener: ServiceListener, family?: Family): () => void;
  stop(): void;
}

export interface ServiceSourceOptions {
  readonly log?: Log;
  readonly clock?: Clock;
}

/** Of Services that may never come. */
const rememberedTriggers = 100;

interface Served {
  readonly compiler: ServiceCompiler;
  readonly listeners: Set<ServiceListener>;
}

export function startServiceSource(
  client: Client,
  { log = silentLog, clock = systemClock }: ServiceSourceOptions = {},
): ServiceSource {
  const services = startInformer(client, "Service", { log, clock });
  const slices = startInformer(client, "EndpointSlice", { log, clock });
  const families = new Map<Family, Served>();
  let triggers: { family: Family; service: string; time: number }[] = [];
  let isSynced = false;
  let isWaiting = false;
  let stopped = false;

  function servedOf(family: Family): Served {
    const known = families.get(family);
    if (known !== undefined) return known;
    const served: Served = { compiler: createServiceCompiler({ family }), listeners: new Set() };
    for (const after of services.list()) served.compiler.service({ after });
    for (const after of slices.list()) served.compiler.slice({ after });
    if (isSynced) served.compiler.take();
    families.set(family, served);
    return served;
  }

  function flush(): void {
    isWaiting = false;
    if (!isSynced || stopped) return;
    for (const [family, { compiler }] of families) {
      const diff = compiler.take();
      if (diff !== undefined) tell(family, diff);
    }
  }

  /** Deleted objects and other kinds move the revision too: the lists know it better than the objects left. */
  function newest(revision: string): string {
    return newerRevision(newerRevision(revision, services.revision()), slices.revision());
  }

  function tell(family: Family, diff: ServiceDiff): void {
    const stamped = { ...diff, revision: newest(diff.revision) };
    // The two watches have no order between them: a change of a Service that is not here yet is told with the Service.
    const due = triggers.filter((trigger) => trigger.family === family && services.get(trigger.service) !== undefined);
    triggers = triggers.filter((trigger) => !due.includes(trigger)).slice(-rememberedTriggers);
    const times = due.map(({ time }) => time);
    for (const listener of servedOf(family).listeners) listener(stamped, times);
  }

  function everything({ compiler }: Served): ServiceDiff {
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
    for (const { compiler } of families.values()) compiler.service(change);
    changed();
  });
  slices.onChange((change) => {
    for (const { compiler } of families.values()) compiler.slice(change);
    const trigger = triggerOf(change.after);
    const family = change.after?.addressType === "IPv6" ? 6 : 4;
    if (change.after !== undefined && trigger !== undefined && trigger !== triggerOf(change.before)) {
      triggers.push({ family, service: serviceKeyOfSlice(change.after), time: Date.parse(trigger) });
    }
    changed();
  });
  const synced = Promise.all([services.synced, slices.synced]).then(() => {
    if (stopped) return;
    isSynced = true;
    triggers = [];
    for (const [family, served] of families) {
      served.compiler.take();
      tell(family, everything(served));
    }
  });

  return {
    synced,
    table(family = 4) {
      const { compiler } = servedOf(family);
      flush();
      return compiler.table();
    },
    revision: () => {
      flush();
      return newest("0");
    },
    subscribe(listener, family = 4) {
      const served = servedOf(family);
      flush();
      served.listeners.add(listener);
      if (isSynced) listener(everything(served), []);
      return () => served.listeners.delete(listener);
    },
    stop() {
      stopped = true;
      for (const { listeners } of families.values()) listeners.clear();
      services.stop();
      slices.stop();
    },
  };
}

function triggerOf(slice: EndpointSlice | undefined): string | undefined {
  const text = slice?.metadata.annotations?.[triggerTimeAnnotation];
  return text === undefined || Number.isNaN(Date.parse(text)) ? undefined : text;
}
