import { formatAddress, parseAddress, type Family } from "#base/cidr.ts";
import type { Admission, AdmissionRequest } from "#api/admission.ts";
import type { IpFamily, Service } from "#api/core/service/kind.ts";
import { keyOf } from "#api/meta/object.ts";
import { ApiError, invalid, isApiError } from "#api/meta/status.ts";
import { isLastWrite } from "../allocation/ledger.ts";
import type { Client } from "#client/contract.ts";
import { fillIpFamilies } from "./families.ts";
import { canonical, hasClusterIp, heldAddresses, parentKeyOf, renderIpAddress } from "./objects.ts";
import type { AddressPool } from "./pool.ts";

export interface ServiceIpOptions {
  /** What is free; `followAddresses` keeps it in step with the API. */
  pool: AddressPool;
  /** The families of the cluster, the primary one first. */
  families: readonly [IpFamily, ...IpFamily[]];
  /** Writes the IPAddresses. Asked for when needed, since the API server starts with its admissions. */
  client: () => Client;
  /** A release that failed; what it was about is found again by the repair controller. */
  failed?: (address: string, error: unknown) => void;
}

/**
 * Gives Services their cluster IPs as upstream's allocator does that serves several ranges: fills `ipFamilies` and
 * `ipFamilyPolicy`, reserves the address asked for or picks one of each family, makes an IPAddress of each before the
 * Service is written and removes it when the Service goes or no longer uses it. The IPAddress decides: two API servers of
 * one store cannot give an address twice. Refuses with upstream's texts.
 */
export function createServiceIpAdmission(options: ServiceIpOptions): Admission {
  const { pool, families, client, failed = () => {} } = options;
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

  /**
   * Makes the IPAddress of a claim. In the place of a picked one that somebody else was faster with, or whose range is
   * no longer open by now, another is picked.
   */
  async function secureClaim(service: Service, claim: Claim): Promise<void> {
    for (;;) {
      if (!pool.isOpen(claim.text)) {
        if (!claim.isPicked) throw refuse(service, claim.text, noRange);
        pickAnew(service, claim);
      }
      try {
        await client().create("IPAddress", renderIpAddress(claim.text, service));
        claim.isSecured = true;
        return;
      } catch (error) {
        if (!isApiError(error, "AlreadyExists")) throw error;
        if (!claim.isPicked) throw refuse(service, claim.text, "provided IP is already allocated");
        pickAnew(service, claim);
      }
    }
  }

  function pickAnew(service: Service, claim: Claim): void {
    const { text } = claim;
    claim.text = pick(service, familyOf(text));
    pool.unreserve(text);
    const texts = [...(service.spec.clusterIPs ?? [])];
    texts[claim.index] = claim.text;
    setClusterIps(service, texts);
  }

  /** Removes the IPAddress, if it is this Service's. */
  async function release(text: string, service: Service): Promise<void> {
    try {
      const address = await client().get("IPAddress", { name: text });
      if (address === undefined || parentKeyOf(address) !== keyOf(service)) return;
      await client().delete("IPAddress", { name: text }, { preconditions: { uid: address.metadata.uid } });
    } catch (error) {
      if (!isApiError(error, "NotFound", "Conflict")) failed(text, error);
    }
  }

  /** The addresses that a committed change no longer uses. */
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
    async secure(request) {
      for (const each of claims.get(request) ?? []) await secureClaim(request.object as Service, each);
    },
    async settle(request, committed) {
      const taken = claims.get(request) ?? [];
      const service = request.object as Service;
      if (!committed) for (const { text, isSecured } of taken) if (isSecured === true) await release(text, service);
      for (const { text } of taken) pool.unreserve(text);
      if (committed) for (const text of releasedBy(request)) await release(text, service);
    },
  };
}

interface Claim {
  readonly index: number;
  text: string;
  readonly isPicked: boolean;
  /** Its IPAddress is there. */
  isSecured?: boolean;
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
