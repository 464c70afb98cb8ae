import { addressAt, cidrContains, cidrSize, formatAddress, formatCidr, parseAddress, type Cidr } from "#base/cidr.ts";
import type { Admission } from "#api/admission.ts";
import type { FieldError } from "#api/meta/field-error.ts";
import { keyOf } from "#api/meta/object.ts";
import { ApiError, invalid } from "#api/meta/status.ts";
import type { Service } from "#api/core/service/kind.ts";
import { createLedger, type Taking } from "../allocation/ledger.ts";
import { createNumberRange } from "../allocation/range.ts";
import { fillIpFamilies } from "./families.ts";

export interface ServiceIpAllocator extends Admission {
  /** Marks the addresses of existing Services as taken; answers those whose address another one already had. */
  seed(services: readonly Service[]): Service[];
  /** Takes in what another server of the same store has allocated, or given back. */
  follow(before: Service | undefined, after: Service | undefined): void;
  /** How many addresses are taken. */
  readonly taken: number;
}

export interface ServiceIpOptions {
  cidr: Cidr;
  /** 0 to 1, exclusive. */
  random?: () => number;
}

/** How many of a range's first addresses automatic picks avoid (KEP-3070): `min(max(16, size/16), 256)`, none up to 16. */
export function reservedAddresses(cidr: Cidr): number {
  const size = Number(cidrSize(cidr));
  return size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / 16)), 256);
}

/**
 * Gives Services their cluster IP on a single-stack cluster: fills `ipFamilies` and `ipFamilyPolicy`, reserves the
 * address asked for or picks one, and frees it when the Service goes or becomes ExternalName. Refuses with upstream's
 * texts. All Services must pass through this one admission, after `seed`. A DELETE must be settled as committed only
 * with the object's final finalizers in `request.object`, so that a Service that lingers keeps its address.
 */
export function createServiceIpAllocator({ cidr, random = Math.random }: ServiceIpOptions): ServiceIpAllocator {
  const size = usableAddresses(cidr);
  const range = createNumberRange({ size, reserved: Math.min(reservedAddresses(cidr), size), random });
  const ledger = createLedger(range, (service) =>
    hasClusterIp(service) ? (numberOf(service.spec.clusterIP) ?? []) : [],
  );

  function numberOf(text: string | undefined): number[] | undefined {
    const address = parseAddress(text ?? "");
    if (address === undefined || !cidrContains(cidr, address)) return undefined;
    const number = Number(address.value - cidr.base) - 1;
    return number >= 0 && number < size ? [number] : undefined;
  }

  function refuse(service: Service, why: string): ApiError {
    const value = service.spec.clusterIPs ?? [service.spec.clusterIP];
    const detail = `failed to allocate IP ${service.spec.clusterIP}: ${why}`;
    return invalid("Service", "", service.metadata.name, [{ type: "Invalid", path: "spec.clusterIPs", value, detail }]);
  }

  function claim(service: Service, taking: Taking): void {
    const { spec } = service;
    if (!spec.clusterIP) {
      const number = taking.pick();
      if (number === undefined) throw rangeIsFull(service);
      const text = formatAddress(addressAt(cidr, number + 1));
      spec.clusterIP = text;
      spec.clusterIPs = [text];
      return;
    }
    // What is no address at all is left to validation, which has the better words for it.
    const address = parseAddress(spec.clusterIP);
    if (address === undefined) return;
    const number = numberOf(spec.clusterIP)?.[0];
    if (number === undefined) {
      const text = formatAddress(address);
      const valid = `The range of valid IPs is ${formatCidr(cidr)}`;
      throw refuse(service, `the provided IP (${text}) is not in the valid range. ${valid}`);
    }
    if (!taking.take(number)) throw refuse(service, "provided IP is already allocated");
  }

  return {
    name: "service-ip",
    kinds: ["Service"],
    admit(request) {
      if (request.operation === "DELETE" || request.subresource !== undefined) return;
      const service = request.object as Service;
      const before = request.before as Service | undefined;
      pairClusterIps(service, before);
      const errors = fillIpFamilies(service, cidr.family === 4 ? "IPv4" : "IPv6");
      if (errors.length > 0) throw invalid("Service", "", service.metadata.name, errors satisfies FieldError[]);
      const alreadyHas = before !== undefined && before.spec.type !== "ExternalName" && before.spec.clusterIP;
      if (!hasClusterIp(service) || alreadyHas) return;
      ledger.admit(request, (taking) => claim(service, taking));
    },
    settle: (request, committed) => ledger.settle(request, committed),
    seed: (services) => ledger.seed(services),
    follow: (before, after) => ledger.follow(before, after),
    get taken() {
      return range.taken;
    },
  };
}

/** Without the network's own address and, for IPv4, the broadcast address; wide IPv6 ranges are used in part. */
function usableAddresses(cidr: Cidr): number {
  const size = cidrSize(cidr) - (cidr.family === 4 ? 2n : 1n);
  if (size < 1n) throw new Error(`the service range ${formatCidr(cidr)} holds no address; use a wider one`);
  return Number(size < 2n ** 48n ? size : 2n ** 48n);
}

function hasClusterIp({ spec }: Service): boolean {
  const takes = spec.type === "ClusterIP" || spec.type === "NodePort" || spec.type === "LoadBalancer";
  return (takes || spec.type === undefined) && spec.clusterIP !== "None" && spec.clusterIPs?.[0] !== "None";
}

/** `clusterIP` alone names the first of `clusterIPs`; an update that names neither keeps what the Service has. */
function pairClusterIps({ spec }: Service, before: Service | undefined): void {
  if (spec.type === "ExternalName") return;
  if (!spec.clusterIP && !spec.clusterIPs?.length && before?.spec.clusterIP && before.spec.type !== "ExternalName") {
    spec.clusterIP = before.spec.clusterIP;
    spec.clusterIPs = before.spec.clusterIPs === undefined ? undefined : [...before.spec.clusterIPs];
  }
  if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
}

function rangeIsFull(service: Service): ApiError {
  const message = `failed to allocate a serviceIP for Service ${JSON.stringify(keyOf(service))}: range is full`;
  return new ApiError("InternalError", `Internal error occurred: ${message}`, { causes: [{ message }] });
}
