import { formatAddress, parseAddress, type Family } from "#base/cidr.ts";
import type { Admission, AdmissionRequest, Companion } from "#api/admission.ts";
import type { IpFamily, Service } from "#api/core/service/kind.ts";
import { keyOf } from "#api/meta/object.ts";
import { ApiError, invalid } from "#api/meta/status.ts";
import { isLastWrite } from "../allocation/ledger.ts";
import type { IPAddress } from "#api/networking/ipaddress/kind.ts";
import { fillIpFamilies } from "./families.ts";
import { canonical, hasClusterIp, heldAddresses, parentKeyOf, renderIpAddress } from "./objects.ts";
import type { AddressPool } from "./pool.ts";

export interface ServiceIpOptions {
  /** What is free; `followAddresses` keeps it in step with the API. */
  pool: AddressPool;
  /** The families of the cluster, the primary one first. */
  families: readonly [IpFamily, ...IpFamily[]];
}

/**
 * Gives Services their cluster IPs as upstream's allocator does that serves several ranges: fills `ipFamilies` and
 * `ipFamilyPolicy`, reserves the address asked for or picks one of each family, makes an IPAddress of each before the
 * Service is written and removes it when the Service goes or no longer uses it. The IPAddress decides: two API servers of
 * one store cannot give an address twice. Refuses with upstream's texts.
 */
export function createServiceIpAdmission(options: ServiceIpOptions): Admission {
  const { pool, families } = options;
  /** What a request has reserved, in the order of `clusterIPs`. */
  const claims = new WeakMap<AdmissionRequest, Claim[]>();

  /** Fills `clusterIPs`: keeps what the Service has, takes what it asks for and picks the rest. */
  function claim(request: AdmissionRequest): void {
    const service = request.object as Service;
    const { spec } = service;
    const before = request.before as Service | undefined;
    const had = new Set(before === undefined ? [] : heldAddresses(before));
    const taken: Claim[] = [];
    claims.set(request, taken);
    const asked = spec.clusterIPs ?? [];
    const filled = [...asked];
    for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
      const text = asked[index];
      if (text === undefined || text === "") {
        const picked = pick(service, family === "IPv6" ? 6 : 4);
        taken.push({ index, text: picked, isPicked: true });
        filled[index] = picked;
      } else if (!had.has(canonical(text))) {
        const reserved = take(service, text);
        if (reserved !== undefined) taken.push({ index, text: reserved, isPicked: false });
      }
    }
    setClusterIps(service, filled);
  }

  function pick(service: Service, family: Family): string {
    const address = pool.pick(family);
    if (address === undefined) throw rangeIsFull(service);
    return formatAddress(address);
  }

  /** What is no address at all is left to validation, which has the better words for it. */
  function take(service: Service, asked: string): string | undefined {
    const address = parseAddress(asked);
    if (address === undefined) return undefined;
    const text = formatAddress(address);
    const outcome = pool.reserve(address);
    if (outcome === "reserved") return text;
    if (outcome === "outside") throw refuse(service, asked, noRange);
    if (outcome === "used") throw refuse(service, asked, "provided IP is already allocated");
    const valid = `The range of valid IPs is ${outcome.unusableOf}`;
    throw refuse(service, asked, `the provided IP (${text}) is not in the valid range. ${valid}`);
  }

  /** One whose range is no longer open by now is picked anew. */
  function checkOpen(service: Service, claim: Claim): void {
    if (pool.isOpen(claim.text)) return;
    if (!claim.isPicked) throw refuse(service, claim.text, noRange);
    pickAnew(service, claim);
  }

  function pickAnew(service: Service, claim: Claim): void {
    const { text } = claim;
    claim.text = pick(service, familyOf(text));
    pool.unreserve(text);
    const texts = [...(service.spec.clusterIPs ?? [])];
    texts[claim.index] = claim.text;
    setClusterIps(service, texts);
  }

  /** The addresses that a change no longer uses. */
  function releasedBy(request: AdmissionRequest): string[] {
    if (request.operation === "CREATE" || request.subresource !== undefined) return [];
    const service = request.object as Service;
    const kept = new Set(isLastWrite(request) ? [] : heldAddresses(service));
    return heldAddresses((request.before ?? service) as Service).filter((text) => !kept.has(text));
  }

  return {
    name: "service-ip",
    kinds: ["Service"],
    admit(request) {
      if (request.operation === "DELETE" || request.subresource !== undefined) return;
      const service = request.object as Service;
      pairClusterIps(service, request.before as Service | undefined);
      const errors = fillIpFamilies(service, request.before as Service | undefined, families);
      if (errors.length > 0) throw invalid("Service", "", service.metadata.name, errors);
      if (hasClusterIp(service)) claim(request);
    },
    accompany(request) {
      const service = request.object as Service;
      const taken = claims.get(request) ?? [];
      for (const each of taken) checkOpen(service, each);
      const made = taken.map(({ text }): Companion => ({ kind: "IPAddress", create: renderIpAddress(text, service) }));
      const gone = releasedBy(request).map((name): Companion => ({
        kind: "IPAddress",
        remove: { name },
        when: (address) => parentKeyOf(address as IPAddress) === keyOf(service),
      }));
      return [...made, ...gone];
    },
    contested(request, companion) {
      if (!("create" in companion)) return;
      const service = request.object as Service;
      const { name } = companion.create.metadata;
      const claim = claims.get(request)?.find(({ text }) => text === name);
      if (claim === undefined) return;
      if (!claim.isPicked) throw refuse(service, claim.text, "provided IP is already allocated");
      pickAnew(service, claim);
    },
    settle(request) {
      for (const { text } of claims.get(request) ?? []) pool.unreserve(text);
    },
  };
}

interface Claim {
  readonly index: number;
  text: string;
  readonly isPicked: boolean;
}

const noRange = "the provided network does not match the current range";

function familyOf(text: string): Family {
  return text.includes(":") ? 6 : 4;
}

function setClusterIps({ spec }: Service, texts: readonly string[]): void {
  const [first] = texts;
  if (first === undefined) return;
  spec.clusterIP = first;
  spec.clusterIPs = [...texts];
}

function refuse({ spec, metadata }: Service, text: string, why: string): ApiError {
  const detail = `failed to allocate IP ${text}: ${why}`;
  const value = spec.clusterIPs ?? [spec.clusterIP];
  return invalid("Service", "", metadata.name, [{ type: "Invalid", path: "spec.clusterIPs", value, detail }]);
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
