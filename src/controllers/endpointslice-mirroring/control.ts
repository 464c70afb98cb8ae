import { isDeepStrictEqual } from "node:util";
import type { Endpoints } from "#api/core/endpoints/kind.ts";
import { managedByLabel, serviceNameLabel, type EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import { keyOf, type KubeObject } from "#api/meta/object.ts";
import { isApiError } from "#api/meta/status.ts";
import { createLoop, runningLoop, type ControllerContext, type RunningController } from "../controller.ts";
import { compileSlices, type SliceContent } from "../endpointslice/fill.ts";
import { createPendingWrites } from "../pending-writes.ts";
import { selectsPods } from "../pods/endpoint.ts";
import { compileMirrored, isMirrored, maxMirrored, mirrorAnnotations, mirrorLabels, mirrorManager } from "./compile.ts";

/** Shows hand-made Endpoints of Services without selector as EndpointSlices, which is all that proxies read. */
export function startEndpointSliceMirroring(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const events = context.recorder("endpoint-slice-mirroring-controller");
  const services = informers.of("Service");
  const endpoints = informers.of("Endpoints");
  const slices = informers.of("EndpointSlice");
  const pending = createPendingWrites(slices, clock);

  async function reconcile(key: string): Promise<void> {
    if (!pending.caughtUp(key)) return queue.addAfter(key, pending.expiryMs);
    const source = endpoints.get(key);
    const service = services.get(key);
    const existing = slices
      .by("service", key)
      .filter(({ metadata }) => metadata.labels?.[managedByLabel] === mirrorManager && !metadata.deletionTimestamp);
    const wanted =
      source !== undefined && service !== undefined && !selectsPods(service) && service.spec.type !== "ExternalName";
    if (!wanted || !isMirrored(source)) {
      await Promise.all(existing.map((slice) => remove(key, slice)));
      return;
    }
    const { groups, invalid, dropped } = compileMirrored(source);
    for (const ip of invalid) events.warning(source, "InvalidIPAddress", `${ip} is not a valid IP address`);
    if (dropped > 0) {
      const message = `A max of ${maxMirrored} addresses can be mirrored to EndpointSlices per Endpoints subset. ${dropped} addresses were skipped`;
      events.warning(source, "TooManyAddressesToMirror", message);
    }
    const changes = compileSlices(existing, { groups, families: [] }, maxMirrored);
    const stale = changes.keep.filter((slice) => !describes(slice, source));
    await Promise.all([
      ...changes.create.map((content) => create(key, source, content)),
      ...changes.update.map(({ slice, content }) => update(key, source, slice, content)),
      ...stale.map((slice) => update(key, source, slice, { ...slice, ports: slice.ports ?? [] })),
      ...changes.remove.map((slice) => remove(key, slice)),
    ]);
  }

  async function create(
    key: string,
    source: Endpoints,
    { addressType, ports, endpoints }: SliceContent,
  ): Promise<void> {
    const { name, namespace } = source.metadata;
    const metadata = {
      generateName: `${name}-`,
      ...(namespace !== undefined && { namespace }),
      ...describing(source),
    };
    const content = { addressType, ports: [...ports], endpoints: [...endpoints] };
    pending.wrote(key, await client.create("EndpointSlice", { metadata, ...content }));
  }

  async function update(key: string, source: Endpoints, slice: EndpointSlice, content: SliceContent): Promise<void> {
    const metadata = { ...slice.metadata, ...describing(source) };
    const next = { ...slice, metadata, ports: [...content.ports], endpoints: [...content.endpoints] };
    pending.wrote(key, await client.update("EndpointSlice", next));
  }

  async function remove(key: string, slice: EndpointSlice): Promise<void> {
    try {
      await client.delete("EndpointSlice", slice.metadata);
      pending.deleted(key, slice);
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
  }

  const queue = createLoop(context, { name: "endpointslice-mirroring", reconcile });
  const addKey = ({ before, after }: { before?: KubeObject; after?: KubeObject }) => {
    const object = after ?? before;
    if (object !== undefined) queue.add(keyOf(object));
  };
  return runningLoop(queue, [
    services.onChange(addKey),
    endpoints.onChange(addKey),
    slices.onChange(({ before, after }) => {
      const slice = after ?? before;
      const { namespace, labels } = slice?.metadata ?? {};
      if (labels?.[managedByLabel] === mirrorManager) queue.add(`${namespace}/${labels[serviceNameLabel] ?? ""}`);
    }),
  ]);
}

function describing(source: Endpoints) {
  const { name, uid = "" } = source.metadata;
  const owner = { apiVersion: "v1", kind: "Endpoints", name, uid, controller: true, blockOwnerDeletion: true };
  return { labels: mirrorLabels(source), annotations: mirrorAnnotations(source), ownerReferences: [owner] };
}

function describes({ metadata }: EndpointSlice, source: Endpoints): boolean {
  const { labels, annotations, ownerReferences } = describing(source);
  return (
    isDeepStrictEqual(metadata.labels, labels) &&
    isDeepStrictEqual(metadata.annotations ?? {}, annotations) &&
    ownerReferences[0]?.uid === metadata.ownerReferences?.[0]?.uid
  );
}
