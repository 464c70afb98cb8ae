import { cidrContains, parseAddress } from "#base/cidr.ts";
import type { Service } from "#api/core/service/kind.ts";
import { keyOf } from "#api/meta/object.ts";
import { isApiError } from "#api/meta/status.ts";
import { ipAllocatorName, ipManagedByLabel, type IPAddress } from "#api/networking/ipaddress/kind.ts";
import { createLoop, runningLoop, type ControllerContext, type RunningController } from "../controller.ts";
import { heldAddresses, labelsOf, parentKeyOf, renderIpAddress } from "./objects.ts";
import { rangesOf } from "./ranges.ts";

/** So long an IPAddress may stand without its Service: the Service may be about to be written. */
const graceMs = 60_000;

/**
 * Keeps Services and IPAddresses in step, whatever became of the requests that changed them: makes the IPAddress that a
 * Service lacks, says which Services cannot have theirs, and removes what no Service uses. Reasons and texts are those of
 * upstream's `repairip.go`.
 */
export function startServiceIpRepair(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const events = context.recorder("ipallocator-repair-controller");
  const services = informers.of("Service");
  const addresses = informers.of("IPAddress");
  const serviceCidrs = informers.of("ServiceCIDR");

  async function reconcileService(key: string): Promise<void> {
    const service = services.get(key);
    if (service === undefined || service.metadata.deletionTimestamp !== undefined) return;
    for (const text of heldAddresses(service)) await repairAddress(service, text);
  }

  async function repairAddress(service: Service, text: string): Promise<void> {
    const address = parseAddress(text);
    const warn = (reason: string, message: string) => events.warning(service, reason, message);
    if (address === undefined) {
      return warn("ClusterIPNotValid", `Cluster IP ${text} is not a valid IP; please recreate Service`);
    }
    const family = address.family === 4 ? "IPv4" : "IPv6";
    // Before there is any range nothing can be said.
    const ranges = serviceCidrs.list().flatMap(rangesOf);
    if (ranges.length === 0) return;
    if (!ranges.some((cidr) => cidrContains(cidr, address))) {
      const message = `Cluster IP [${family}]: ${text} is not within any configured Service CIDR; please recreate service`;
      return warn("ClusterIPOutOfRange", message);
    }
    const found = addresses.get(text);
    if (found === undefined) {
      warn("ClusterIPNotAllocated", `Cluster IP [${family}]: ${text} is not allocated; repairing`);
      return create(service, text);
    }
    const parent = parentKeyOf(found);
    if (parent !== keyOf(service)) {
      const other = parent === undefined ? undefined : services.get(parent);
      if (other !== undefined && heldAddresses(other).includes(text)) {
        const message = `Cluster IP [${family}]:${text} was assigned to multiple services; please recreate service`;
        return warn("ClusterIPAlreadyAllocated", message);
      }
      const { namespace, name } = service.metadata;
      const message = `the ClusterIP [${family}]: ${text} for Service ${namespace}/${name} has a wrong reference; repairing`;
      warn("ClusterIPNotAllocated", message);
      await remove(found);
      return create(service, text);
    }
    if (hasLabels(found)) return;
    await remove(found);
    await create(service, text);
  }

  async function reconcileAddress(name: string): Promise<void> {
    const address = addresses.get(name);
    if (address === undefined || address.metadata.labels?.[ipManagedByLabel] !== ipAllocatorName) return;
    const parent = parentKeyOf(address);
    if (parent === undefined) {
      const message = `IPAddress ${name} appears to have been modified, not referencing a Service ${JSON.stringify(address.spec.parentRef)}: cleaning up`;
      events.warning(address, "IPAddressNotAllocated", message);
      return remove(address);
    }
    const service = services.get(parent);
    if (service !== undefined && heldAddresses(service).includes(name)) return;
    const left = Date.parse(address.metadata.creationTimestamp ?? "") + graceMs - clock.now();
    if (left > 0) return queue.addAfter(`address ${name}`, left);
    const about = `IPAddress: ${name} for Service ${parent}`;
    if (service === undefined) {
      events.warning(address, "IPAddressNotAllocated", `${about} appears to have leaked: cleaning up`);
    } else events.warning(address, "IPAddressWrongReference", `${about} has a wrong reference; cleaning up`);
    await remove(address);
  }

  async function create(service: Service, text: string): Promise<void> {
    try {
      await client.create("IPAddress", renderIpAddress(text, service));
    } catch (error) {
      if (!isApiError(error, "AlreadyExists")) throw error;
    }
  }

  async function remove({ metadata: { name, uid } }: IPAddress): Promise<void> {
    try {
      await client.delete("IPAddress", { name }, { preconditions: { uid } });
    } catch (error) {
      if (!isApiError(error, "NotFound", "Conflict")) throw error;
    }
  }

  const queue = createLoop(context, {
    name: "service-ip-repair",
    reconcile(key) {
      const [what, name = ""] = key.split(" ");
      return what === "service" ? reconcileService(name) : reconcileAddress(name);
    },
  });
  const addService = (service: Service) => queue.add(`service ${keyOf(service)}`);
  return runningLoop(queue, [
    services.onChange(({ before, after }) => {
      addService(after ?? before);
      // Whoever changed the Service removes the IPAddress as well; what is left of it is looked at later.
      const kept = after === undefined ? [] : heldAddresses(after);
      for (const text of before === undefined ? [] : heldAddresses(before)) {
        if (!kept.includes(text)) queue.addAfter(`address ${text}`, graceMs);
      }
    }),
    addresses.onChange(({ before, after }) => {
      const { name } = (after ?? before).metadata;
      queue.add(`address ${name}`);
      const parent = parentKeyOf(after ?? before);
      if (parent !== undefined) queue.add(`service ${parent}`);
    }),
    serviceCidrs.onChange(({ type }) => {
      if (type !== "changed") for (const service of services.list()) addService(service);
    }),
  ]);
}

function hasLabels({ metadata: { name, labels } }: IPAddress): boolean {
  return Object.entries(labelsOf(name)).every(([key, value]) => labels?.[key] === value);
}
