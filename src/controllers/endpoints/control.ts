import { triggerTimeAnnotation } from "#api/discovery/endpointslice/kind.ts";
import { isDeepStrictEqual } from "node:util";
import { keyOf, parseKey } from "#api/meta/object.ts";
import { isApiError } from "#api/meta/status.ts";
import { createLoop, runningLoop, type ControllerContext, type RunningController } from "../controller.ts";
import { createPendingWrites } from "../pending-writes.ts";
import { selectsPods } from "../pods/endpoint.ts";
import { podsOf, servicesTouchedBy } from "../pods/services.ts";
import { createTriggerTimes } from "../pods/trigger-time.ts";
import {
  annotationsFor,
  compileSubsets,
  endpointsLabels,
  endpointsManagedByLabel,
  endpointsManager,
  truncateSubsets,
} from "./compile.ts";

/** Keeps the Endpoints object of every Service that selects pods; the older form that many tools still read. */
export function startEndpoints(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const services = informers.of("Service");
  const pods = informers.of("Pod");
  const endpoints = informers.of("Endpoints");
  const pending = createPendingWrites(endpoints, clock);
  const triggerTimes = createTriggerTimes();

  async function reconcile(key: string): Promise<void> {
    const service = services.get(key);
    if (service === undefined) return removeLeftover(key);
    if (!selectsPods(service) || service.metadata.deletionTimestamp !== undefined) return;
    if (!pending.caughtUp(key)) return queue.addAfter(key, pending.expiryMs);
    const selected = podsOf(informers, service);
    const all = compileSubsets(service, selected);
    const kept = truncateSubsets(all);
    const triggerTime = triggerTimes.next(service, selected);
    const before = endpoints.get(key);
    const labels = endpointsLabels(service);
    const annotations = annotationsFor(before, kept !== all);
    const unchanged =
      before !== undefined &&
      isDeepStrictEqual(before.subsets ?? [], kept) &&
      isDeepStrictEqual(before.metadata.labels, labels) &&
      isDeepStrictEqual(before.metadata.annotations ?? {}, annotations);
    if (unchanged) return;
    delete annotations[triggerTimeAnnotation];
    if (triggerTime !== undefined) annotations[triggerTimeAnnotation] = triggerTime;
    const { name, namespace } = service.metadata;
    const subsets = [...kept];
    if (before === undefined) {
      const metadata = { name, ...(namespace !== undefined && { namespace }), labels, annotations };
      pending.wrote(key, await client.create("Endpoints", { metadata, subsets }));
    } else {
      const metadata = { ...before.metadata, labels, annotations };
      pending.wrote(key, await client.update("Endpoints", { ...before, metadata, subsets }));
    }
  }

  async function removeLeftover(key: string): Promise<void> {
    triggerTimes.forget(key);
    pending.forget(key);
    try {
      await client.delete("Endpoints", parseKey(key));
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
  }

  const queue = createLoop(context, { name: "endpoints", reconcile });
  return runningLoop(queue, [
    services.onChange(({ before, after }) => queue.add(keyOf(after ?? before))),
    pods.onChange((change) => {
      for (const key of servicesTouchedBy(informers, change)) queue.add(key);
    }),
    endpoints.onChange(({ before, after }) => {
      const object = after ?? before;
      const ours = object?.metadata.labels?.[endpointsManagedByLabel] === endpointsManager;
      // Objects that others keep under a name of their own are not ours to delete.
      if (object !== undefined && (ours || services.get(keyOf(object)) !== undefined)) queue.add(keyOf(object));
    }),
  ]);
}
