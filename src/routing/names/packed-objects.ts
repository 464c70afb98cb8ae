import { packTexts, unpackTexts } from "#base/packed-texts.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { EndpointSlice, SliceEndpoint } from "#api/discovery/endpointslice/kind.ts";

/*
 * Objects that are read like any other and weigh a tenth: each is one text, and its fields are read out of that when
 * somebody asks for them. Who asks for one field asks for the next, so the object that was read last stays at hand.
 */

/** What most of them look like: of that nothing is kept. */
const usualService = `[{"name":"","namespace":"","resourceVersion":""},{"type":"ClusterIP","clusterIPs":["10.96.0.1"],"ports":[{"name":"http","protocol":"TCP","port":80}]}]`;
const usualSlice = `{"metadata":{"name":"","namespace":"","resourceVersion":"","labels":{"kubernetes.io/service-name":""}},"addressType":"IPv4","ports":[{"name":"http","port":8080,"protocol":"TCP"}]}`;

/** The Service as it was handed over; nothing of it may change. */
export function packService({ metadata, spec }: Service): Service {
  return new PackedService(packTexts([JSON.stringify([metadata, spec])], usualService));
}

/** The slice with all that makes names: of its endpoints addresses, readiness, host names and pods' names. */
export function packSlice({ metadata, addressType, endpoints, ports }: EndpointSlice): EndpointSlice {
  // Some servers answer null for none.
  const all = endpoints ?? [];
  const hosts = all.map(({ hostname }) => hostname);
  const head: SliceHead = {
    metadata,
    addressType,
    ports,
    ...(all.some(isUnready) && { unready: [...all.keys()].filter((at) => isUnready(all[at] as SliceEndpoint)) }),
    ...(all.some(({ addresses }) => addresses.length !== 1) && {
      counts: all.map(({ addresses }) => addresses.length),
    }),
    ...(hosts.some((host) => host !== undefined) && { hosts }),
  };
  const pods = all.map(({ targetRef }) => targetRef?.name ?? "");
  return new PackedSlice(
    packTexts([JSON.stringify(head), ...all.flatMap(({ addresses }) => addresses), ...pods], usualSlice),
  );
}

function isUnready({ conditions }: SliceEndpoint): boolean {
  return conditions?.ready === false;
}

class PackedService implements Service {
  readonly #packed: string;
  static #last: { of: PackedService; read: Pick<Service, "metadata" | "spec"> } | undefined;

  constructor(packed: string) {
    this.#packed = packed;
  }

  get #read(): Pick<Service, "metadata" | "spec"> {
    const last = PackedService.#last;
    if (last?.of === this) return last.read;
    const [text = ""] = unpackTexts(this.#packed, usualService);
    const [metadata, spec] = JSON.parse(text) as [Service["metadata"], Service["spec"]];
    const read = { metadata, spec };
    PackedService.#last = { of: this, read };
    return read;
  }

  get apiVersion(): "v1" {
    return "v1";
  }

  get kind(): "Service" {
    return "Service";
  }

  get metadata(): Service["metadata"] {
    return this.#read.metadata;
  }

  get spec(): Service["spec"] {
    return this.#read.spec;
  }
}

/** The first text of a packed slice; addresses and the pods' names follow. */
interface SliceHead extends Pick<EndpointSlice, "metadata" | "addressType" | "ports"> {
  /** Places of endpoints that are not ready. */
  readonly unready?: readonly number[];
  /** How many addresses each endpoint has, unless each has one. */
  readonly counts?: readonly number[];
  readonly hosts?: readonly (string | null | undefined)[];
}

type SliceParts = Pick<EndpointSlice, "metadata" | "addressType" | "ports" | "endpoints">;

class PackedSlice implements EndpointSlice {
  readonly #packed: string;
  static #last: { of: PackedSlice; read: SliceParts } | undefined;

  constructor(packed: string) {
    this.#packed = packed;
  }

  get #read(): SliceParts {
    const last = PackedSlice.#last;
    if (last?.of === this) return last.read;
    const read = unpackSlice(this.#packed);
    PackedSlice.#last = { of: this, read };
    return read;
  }

  get apiVersion(): "discovery.k8s.io/v1" {
    return "discovery.k8s.io/v1";
  }

  get kind(): "EndpointSlice" {
    return "EndpointSlice";
  }

  get metadata(): EndpointSlice["metadata"] {
    return this.#read.metadata;
  }

  get addressType(): EndpointSlice["addressType"] {
    return this.#read.addressType;
  }

  get endpoints(): EndpointSlice["endpoints"] {
    return this.#read.endpoints;
  }

  get ports(): EndpointSlice["ports"] {
    return this.#read.ports;
  }
}

function unpackSlice(packed: string): SliceParts {
  const [first = "{}", ...texts] = unpackTexts(packed, usualSlice);
  const { metadata, addressType, ports, unready = [], counts, hosts } = JSON.parse(first) as SliceHead;
  // Without counts half of the texts are addresses, one for each endpoint.
  const endpointCount = counts?.length ?? texts.length / 2;
  const pods = texts.slice(texts.length - endpointCount);
  let at = 0;
  const endpoints = pods.map((pod, index): SliceEndpoint => {
    const addresses = texts.slice(at, at + (counts?.[index] ?? 1));
    at += addresses.length;
    const hostname = hosts?.[index] ?? undefined;
    return {
      addresses,
      ...(unready.includes(index) && { conditions: { ready: false } }),
      ...(hostname !== undefined && { hostname }),
      ...(pod !== "" && { targetRef: { name: pod } }),
    };
  });
  return { metadata, addressType, ports, endpoints };
}
