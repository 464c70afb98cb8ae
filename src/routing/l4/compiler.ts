import type { Family } from "#base/cidr.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import { keyOf } from "#api/meta/object.ts";
import type { Problem } from "../because.ts";
import { compileService, newerRevision, serviceKeyOfSlice, type CompiledService } from "./compile.ts";
import { sameEffect } from "./diff.ts";
import type { ServiceDiff, ServicePortEntry, ServiceTable } from "./table.ts";

/** One change of an object, in the shape informers tell it. */
export interface ObjectChange<T> {
  readonly before?: T;
  readonly after?: T;
}

/** Keeps the layer-4 table up to date; the cost of a change is that of the Services it touches. */
export interface ServiceCompiler {
  service(change: ObjectChange<Service>): void;
  slice(change: ObjectChange<EndpointSlice>): void;
  /** What has changed since the last call, perhaps the revision alone; `undefined` when nothing was told since. */
  take(): ServiceDiff | undefined;
  /** The table as of the last `take`. */
  table(): ServiceTable;
}

export function createServiceCompiler({ family = 4 }: { family?: Family } = {}): ServiceCompiler {
  const services = new Map<string, Service>();
  const slices = new Map<string, Map<string, EndpointSlice>>();
  const compiled = new Map<string, CompiledService>();
  const ports = new Map<string, ServicePortEntry>();
  const touched = new Set<string>();
  let revision = "0";
  let wasTold = false;
  let snapshot: ServiceTable | undefined;

  function note(objects: readonly (Service | EndpointSlice | undefined)[]): void {
    wasTold = true;
    for (const object of objects) revision = newerRevision(revision, object?.metadata.resourceVersion);
  }

  function recompile(key: string): CompiledService {
    const service = services.get(key);
    if (service === undefined) return { ports: [], problems: [] };
    return compileService(service, [...(slices.get(key)?.values() ?? [])], family);
  }

  return {
    service({ before, after }) {
      note([before, after]);
      if (before !== undefined) touched.add(keyOf(before));
      if (after !== undefined) {
        services.set(keyOf(after), after);
        touched.add(keyOf(after));
      } else if (before !== undefined) services.delete(keyOf(before));
    },
    slice({ before, after }) {
      note([before, after]);
      if (before !== undefined) {
        const key = serviceKeyOfSlice(before);
        const group = slices.get(key);
        group?.delete(keyOf(before));
        if (group?.size === 0) slices.delete(key);
        touched.add(key);
      }
      if (after !== undefined) {
        const key = serviceKeyOfSlice(after);
        const group = slices.get(key) ?? new Map<string, EndpointSlice>();
        group.set(keyOf(after), after);
        slices.set(key, group);
        touched.add(key);
      }
    },
    take() {
      if (!wasTold) return undefined;
      wasTold = false;
      snapshot = undefined;
      const added: ServicePortEntry[] = [];
      const changed: { before: ServicePortEntry; after: ServicePortEntry }[] = [];
      const removed: ServicePortEntry[] = [];
      for (const key of touched) {
        const before = compiled.get(key);
        const after = recompile(key);
        const old = new Map(before?.ports.map((entry) => [entry.id, entry]));
        if (services.has(key)) compiled.set(key, after);
        else compiled.delete(key);
        for (const entry of after.ports) {
          const was = old.get(entry.id);
          old.delete(entry.id);
          ports.set(entry.id, entry);
          if (was === undefined) added.push(entry);
          else if (!sameEffect(was, entry)) changed.push({ before: was, after: entry });
        }
        for (const entry of old.values()) {
          ports.delete(entry.id);
          removed.push(entry);
        }
      }
      touched.clear();
      return { added, changed, removed, revision };
    },
    table() {
      snapshot ??= { family, ports: new Map(ports), problems: problemsOf(compiled.values()), revision };
      return snapshot;
    },
  };
}

function problemsOf(services: Iterable<CompiledService>): readonly Problem[] {
  return [...services].flatMap(({ problems }) => problems);
}
