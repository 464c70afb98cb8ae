import { cidrContains, type Cidr } from "#base/cidr.ts";
import { rfc3339 } from "#base/clock.ts";
import { withCondition, type Condition } from "#api/meta/condition.ts";
import { isApiError } from "#api/meta/status.ts";
import { ipAllocatorName, ipManagedByLabel, type IPAddress } from "#api/networking/ipaddress/kind.ts";
import { defaultServiceCidr, serviceCidrFinalizer, type ServiceCIDR } from "#api/networking/servicecidr/kind.ts";
import { createLoop, runningLoop, type ControllerContext, type RunningController } from "../controller.ts";
import { holdersOf, rangesOf } from "../service-ip/ranges.ts";
import { compileStatusPatch } from "../status-patch.ts";

/** After a ServiceCIDR begins to go, requests that took an address of it just before get so long to write it. */
const lastAddressMs = 1000;

const ready: Condition = { type: "Ready", status: "True", reason: "", message: "Kubernetes Service CIDR is ready" };

const held: Condition = {
  type: "Ready",
  status: "False",
  reason: "Terminating",
  message: "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR",
};

/**
 * Says of each ServiceCIDR that it is ready, keeps one that is deleted until no address depends on it, and makes the
 * default one again when it is gone (upstream's `servicecidrs` and `defaultservicecidr` controllers). `defaultCidrs` are
 * the ranges of the cluster's own options; without them there is no default one.
 */
export function startServiceCidrs(
  context: ControllerContext,
  defaultCidrs: readonly string[] | undefined,
): RunningController {
  const { client, informers, clock } = context;
  const events = context.recorder("service-cidr-controller");
  const serviceCidrs = informers.of("ServiceCIDR");
  const addresses = informers.of("IPAddress");

  async function reconcile(name: string): Promise<void> {
    const serviceCidr = serviceCidrs.get(name);
    if (serviceCidr === undefined) return name === defaultServiceCidr ? makeDefault() : undefined;
    if (serviceCidr.metadata.deletionTimestamp !== undefined) return end(serviceCidr);
    const { finalizers = [], resourceVersion } = serviceCidr.metadata;
    if (!finalizers.includes(serviceCidrFinalizer)) {
      await patch(serviceCidr, { metadata: { resourceVersion, finalizers: [...finalizers, serviceCidrFinalizer] } });
    }
    if (name === defaultServiceCidr && !isDefault(serviceCidr)) return;
    await writeCondition(serviceCidr, ready);
  }

  /** Whether the default one has the ranges of the options; says so where it has others. */
  function isDefault(serviceCidr: ServiceCIDR): boolean {
    if (defaultCidrs === undefined) return true;
    const cidrs = serviceCidr.spec.cidrs ?? [];
    if (cidrs.join() === defaultCidrs.join()) return true;
    const text = `The default ServiceCIDR [${cidrs.join(" ")}] does not match the controller flag configurations [${defaultCidrs.join(" ")}]`;
    events.warning(serviceCidr, "KubernetesDefaultServiceCIDRInconsistent", text);
    return false;
  }

  async function makeDefault(): Promise<void> {
    if (defaultCidrs === undefined) return;
    try {
      await client.create("ServiceCIDR", {
        metadata: { name: defaultServiceCidr },
        spec: { cidrs: [...defaultCidrs] },
      });
    } catch (error) {
      if (!isApiError(error, "AlreadyExists")) throw error;
    }
  }

  async function end(serviceCidr: ServiceCIDR): Promise<void> {
    const { name, finalizers = [], deletionTimestamp = "", resourceVersion } = serviceCidr.metadata;
    if (!finalizers.includes(serviceCidrFinalizer)) return;
    if (!canGo(serviceCidr, serviceCidrs.list(), addresses.list())) return writeCondition(serviceCidr, held);
    const left = Date.parse(deletionTimestamp) + lastAddressMs - clock.now();
    if (left > 0) return queue.addAfter(name, left);
    const others = finalizers.filter((each) => each !== serviceCidrFinalizer);
    await patch(serviceCidr, { metadata: { resourceVersion, finalizers: others } });
  }

  async function writeCondition(serviceCidr: ServiceCIDR, condition: Condition): Promise<void> {
    const conditions = withCondition(serviceCidr.status?.conditions, condition, rfc3339(clock.now()));
    const change = compileStatusPatch(serviceCidr.status, { ...serviceCidr.status, conditions });
    if (change !== undefined) await patch(serviceCidr, change, "status");
  }

  async function patch({ metadata }: ServiceCIDR, change: Record<string, unknown>, subresource?: "status") {
    try {
      await client.patch("ServiceCIDR", metadata, change, subresource === undefined ? {} : { subresource });
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
  }

  const queue = createLoop(context, { name: "service-cidr", reconcile, concurrency: 1 });
  const going = () => serviceCidrs.list().filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
  return runningLoop(queue, [
    serviceCidrs.onChange(({ before, after }) => {
      queue.add((after ?? before).metadata.name);
      // One range more or less may let another one go, or hold it.
      for (const { metadata } of going()) queue.add(metadata.name);
    }),
    addresses.onChange(({ type }) => {
      if (type !== "changed") for (const { metadata } of going()) queue.add(metadata.name);
    }),
  ]);
}

/** Whether every address that Services have would still stand in another ServiceCIDR. */
export function canGo(serviceCidr: ServiceCIDR, all: readonly ServiceCIDR[], addresses: readonly IPAddress[]): boolean {
  const { name } = serviceCidr.metadata;
  const others = all.filter(({ metadata }) => metadata.name !== name);
  const ranges = others.flatMap(rangesOf);
  const within = (cidr: Cidr) => ranges.some((range) => contains(range, cidr));
  if (rangesOf(serviceCidr).every(within)) return true;
  return addresses
    .filter(({ metadata }) => metadata.labels?.[ipManagedByLabel] === ipAllocatorName)
    .every(({ metadata }) => {
      const holders = holdersOf(all, metadata.name);
      return holders.length !== 1 || holders[0]?.metadata.name !== name;
    });
}

function contains(wide: Cidr, narrow: Cidr): boolean {
  return wide.prefix <= narrow.prefix && cidrContains(wide, { family: narrow.family, value: narrow.base });
}
