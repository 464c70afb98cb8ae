import { isDeepStrictEqual } from "node:util";
import {
  managedByLabel,
  serviceNameLabel,
  triggerTimeAnnotation,
  type EndpointSlice,
} from "#api/discovery/endpointslice/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import { keyOf } from "#api/meta/object.ts";
import { isApiError } from "#api/meta/status.ts";
import { createLoop, runningLoop, type ControllerContext, type RunningController } from "../controller.ts";
import { createPendingWrites } from "../pending-writes.ts";
import { selectsPods } from "../pods/endpoint.ts";
import { podsOf, servicesOf, servicesTouchedBy } from "../pods/services.ts";
import { createTriggerTimes } from "../pods/trigger-time.ts";
import { zoneLabel } from "#api/core/node/kind.ts";
import { compileEndpoints, type EndpointsOfService } from "./compile.ts";
import { compileSlices, type SliceContent } from "./fill.ts";
import { serviceOwner, sliceLabels, sliceManager } from "./metadata.ts";
import { compileZoneShares, wantsZoneShares, type ZoneShares } from "./topology.ts";

/** Keeps the EndpointSlices of every Service that selects pods. */
export function startEndpointSlices(context: ControllerContext, maxEndpoints = 100): RunningController {
  const { client, informers, clock } = context;
  const services = informers.of("Service");
  const pods = informers.of("Pod");
  const nodes = informers.of("Node");
  const slices = informers.of("EndpointSlice");
  const pending = createPendingWrites(slices, clock);
  const triggerTimes = createTriggerTimes();
  const events = context.recorder("endpoint-slice-controller");
  let zoneShares: ZoneShares | string | undefined;
  /** What was told last of the hints of each Service that asks for them. */
  const toldHints = new Map<string, string>();

  function slicesOf(key: string): EndpointSlice[] {
    return slices
      .by("service", key)
      .filter(({ metadata }) => metadata.labels?.[managedByLabel] === sliceManager && !metadata.deletionTimestamp);
  }

  async function reconcile(key: string): Promise<void> {
    const service = services.get(key);
    if (service === undefined) {
      triggerTimes.forget(key);
      pending.forget(key);
      toldHints.delete(key);
      return;
    }
    if (!selectsPods(service) || service.metadata.deletionTimestamp !== undefined) return;
    if (!pending.caughtUp(key)) return queue.addAfter(key, pending.expiryMs);
    const selected = podsOf(informers, service);
    const endpoints = compileEndpoints(
      service,
      selected,
      (name) => nodes.get(name),
      () => (zoneShares ??= compileZoneShares(nodes.list())),
    );
    tellHints(key, service, endpoints);
    const changes = compileSlices(slicesOf(key), endpoints, maxEndpoints);
    const updates = [...changes.update, ...changes.keep.filter((slice) => !isLabelled(slice, service)).map(asItIs)];
    const triggerTime = triggerTimes.next(service, selected);
    await Promise.all([
      ...changes.create.map((content) => create(key, service, content, triggerTime)),
      ...updates.map(({ slice, content }) => update(key, service, slice, content, triggerTime)),
      ...changes.remove.map((slice) => remove(key, slice)),
    ]);
  }

  /** Tells in Events when hints by topology mode come, or why they go or are none. */
  function tellHints(key: string, service: Service, { families, withoutHints }: EndpointsOfService): void {
    if (!wantsZoneShares(service)) return void toldHints.delete(key);
    const told = families.map((family) => {
      const why = withoutHints.get(family);
      const text = `${why ?? "Topology Aware Hints has been enabled"}, addressType: ${family}`;
      return { isOn: why === undefined, text };
    });
    const all = told.map(({ text }) => text).join();
    if (toldHints.get(key) === all) return;
    toldHints.set(key, all);
    for (const { isOn, text } of told) {
      if (isOn) events.normal(service, "TopologyAwareHintsEnabled", text);
      else events.warning(service, "TopologyAwareHintsDisabled", text);
    }
  }

  async function create(key: string, service: Service, content: SliceContent, triggerTime: string | undefined) {
    const { namespace, name } = service.metadata;
    const created = await client.create("EndpointSlice", {
      metadata: {
        generateName: `${name}-`,
        ...(namespace !== undefined && { namespace }),
        labels: sliceLabels(service),
        ...(triggerTime !== undefined && { annotations: { [triggerTimeAnnotation]: triggerTime } }),
        ownerReferences: [serviceOwner(service)],
      },
      ...mutable(content),
    });
    pending.wrote(key, created);
  }

  async function update(
    key: string,
    service: Service,
    slice: EndpointSlice,
    content: SliceContent,
    triggerTime: string | undefined,
  ): Promise<void> {
    const { [triggerTimeAnnotation]: _, ...annotations } = slice.metadata.annotations ?? {};
    if (triggerTime !== undefined) annotations[triggerTimeAnnotation] = triggerTime;
    const metadata = {
      ...slice.metadata,
      labels: sliceLabels(service),
      annotations,
      ownerReferences: [serviceOwner(service)],
    };
    pending.wrote(key, await client.update("EndpointSlice", { ...slice, metadata, ...mutable(content) }));
  }

  async function remove(key: string, slice: EndpointSlice): Promise<void> {
    try {
      await client.delete("EndpointSlice", slice.metadata, uidOf(slice));
      pending.deleted(key, slice);
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
  }

  const queue = createLoop(context, { name: "endpointslice", reconcile });
  return runningLoop(queue, [
    services.onChange(({ before, after }) => queue.add(keyOf(after ?? before))),
    pods.onChange((change) => {
      for (const key of servicesTouchedBy(informers, change)) queue.add(key);
    }),
    slices.onChange(({ before, after }) => {
      for (const slice of [before, after]) {
        const name = slice?.metadata.labels?.[serviceNameLabel];
        if (slice !== undefined && name !== undefined) queue.add(`${slice.metadata.namespace}/${name}`);
      }
    }),
    nodes.onChange(({ before, after }) => {
      const known = zoneShares;
      zoneShares = compileZoneShares(nodes.list());
      if (!isDeepStrictEqual(known, zoneShares)) {
        for (const service of services.list()) if (wantsZoneShares(service)) queue.add(keyOf(service));
      }
      if (before?.metadata.labels?.[zoneLabel] === after?.metadata.labels?.[zoneLabel] && before && after) return;
      const name = (after ?? before)?.metadata.name ?? "";
      for (const pod of pods.by("node", name)) for (const key of servicesOf(informers, pod)) queue.add(key);
    }),
  ]);
}

function isLabelled({ metadata }: EndpointSlice, service: Service): boolean {
  return (
    isDeepStrictEqual({ ...metadata.labels }, sliceLabels(service)) &&
    metadata.ownerReferences?.some(({ uid }) => uid === service.metadata.uid) === true
  );
}

function asItIs(slice: EndpointSlice): { slice: EndpointSlice; content: SliceContent } {
  const { addressType, ports = [], endpoints } = slice;
  return { slice, content: { addressType, ports, endpoints } };
}

function mutable({ addressType, ports, endpoints }: SliceContent) {
  return { addressType, ports: [...ports], endpoints: [...endpoints] };
}

function uidOf({ metadata: { uid } }: EndpointSlice) {
  return uid === undefined ? {} : { preconditions: { uid } };
}
