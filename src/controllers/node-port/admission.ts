import type { Admission, AdmissionRequest } from "#api/admission.ts";
import { ApiError, invalid } from "#api/meta/status.ts";
import type { Service } from "#api/core/service/kind.ts";
import { createLedger, type Taking } from "../allocation/ledger.ts";
import { createNumberRange } from "../allocation/range.ts";
import {
  allocatesNodePorts,
  heldPorts,
  needsHealthCheck,
  nodePortClaims,
  nodePortsOf,
  usesNodePorts,
} from "./ports.ts";

export interface NodePortAllocator extends Admission {
  /** Marks the node ports of existing Services as taken; answers those whose number another one already had. */
  seed(services: readonly Service[]): Service[];
  /** Takes in what another server of the same store has allocated, or given back. */
  follow(before: Service | undefined, after: Service | undefined): void;
  /** How many numbers are taken. */
  readonly taken: number;
}

export interface NodePortOptions {
  /** First and last node port; 30000 to 32767 by default. */
  range?: { first: number; last: number };
  /** 0 to 1, exclusive. */
  random?: () => number;
}

/** How many of a range's first ports automatic picks avoid (KEP-3668): `min(max(16, size/32), 128)`, none up to 16. */
export function reservedNodePorts(size: number): number {
  return size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / 32)), 128);
}

/**
 * Gives NodePort and LoadBalancer Services their node ports and their health check node port, from one pool keyed by
 * number alone; inside one Service a TCP and a UDP entry may share a number. Each number is claimed together with the
 * write of the Service: two API servers of one store cannot give it twice, and one that somebody else was faster with is
 * picked anew. Refuses with upstream's texts. All Services must pass through this admission, after `seed`.
 */
export function createNodePortAllocator(options: NodePortOptions = {}): NodePortAllocator {
  const { range: ports = { first: 30_000, last: 32_767 }, random = Math.random } = options;
  const size = ports.last - ports.first + 1;
  const range = createNumberRange({ size, reserved: reservedNodePorts(size), random });
  const ledger = createLedger(range, (service) =>
    heldPorts(service)
      .filter(inRange)
      .map((port) => port - ports.first),
  );

  function inRange(port: number): boolean {
    return port >= ports.first && port <= ports.last;
  }

  /** Why the port cannot be had, or `undefined` when it now is. */
  function takePort(taking: Taking, port: number): string | undefined {
    if (!inRange(port)) {
      return `provided port is not in the valid range. The range of valid ports is ${ports.first}-${ports.last}`;
    }
    return taking.take(port - ports.first) ? undefined : allocated;
  }

  function pickPort(taking: Taking, wanted: string): number {
    const number = taking.pick();
    if (number === undefined) throw internal(`failed to allocate a ${wanted}: range is full`);
    return number + ports.first;
  }

  function takeAsked(taking: Taking, service: Service, index: number, port: number): void {
    const why = takePort(taking, port);
    if (why !== undefined) throw refuse(service, index, port, why);
  }

  /** At create, entries with the same `port` share one number; numbers a user gave anywhere in the list come first. */
  function claimNew(taking: Taking, service: Service): void {
    const entries = service.spec.ports ?? [];
    const byPort = new Map<number, number>();
    const own = new Set<number>();
    for (const [index, entry] of entries.entries()) {
      if (!entry.nodePort && !allocatesNodePorts(service)) continue;
      const shared = byPort.get(entry.port);
      const asked =
        entry.nodePort || shared || entries.find(({ port, nodePort }) => port === entry.port && nodePort)?.nodePort;
      const port = asked || pickPort(taking, "nodePort");
      if (asked && !own.has(asked)) takeAsked(taking, service, index, asked);
      entry.nodePort = port;
      own.add(port);
      if (shared === undefined) byPort.set(entry.port, port);
    }
  }

  /** On update, what the Service already holds may be used again and every new entry gets a number of its own. */
  function claimChanged(taking: Taking, service: Service, before: Service): void {
    const own = new Set(nodePortsOf(before));
    const seen = new Set<string>();
    for (const [index, entry] of (service.spec.ports ?? []).entries()) {
      if (!entry.nodePort) {
        if (!allocatesNodePorts(service)) continue;
        entry.nodePort = pickPort(taking, "nodePort");
      } else if (!own.has(entry.nodePort)) takeAsked(taking, service, index, entry.nodePort);
      const identity = `${entry.protocol ?? "TCP"}/${entry.nodePort}`;
      if (seen.has(identity)) throw internal(`duplicate nodePort: ${entry.nodePort}`);
      seen.add(identity);
      own.add(entry.nodePort);
    }
  }

  function claimHealthCheck(taking: Taking, { spec }: Service): void {
    if (!spec.healthCheckNodePort) {
      spec.healthCheckNodePort = pickPort(taking, `HealthCheck NodePort ${spec.healthCheckNodePort ?? 0}`);
      return;
    }
    const why = takePort(taking, spec.healthCheckNodePort);
    if (why !== undefined) throw refuseHealthCheck(spec.healthCheckNodePort, why);
  }

  /** Another server's Service has the number since it was looked for. */
  function replace(request: AdmissionRequest, port: number): void {
    const service = request.object as Service;
    const { spec } = service;
    const entries = (spec.ports ?? []).filter(({ nodePort }) => nodePort === port);
    const picked = ledger.pickAnew(request, port - ports.first);
    if (picked === undefined) throw internal("failed to allocate a nodePort: range is full");
    if (picked === "asked") {
      const [entry] = entries;
      if (entry === undefined) throw refuseHealthCheck(port, allocated);
      throw refuse(service, spec.ports?.indexOf(entry) ?? 0, port, allocated);
    }
    for (const entry of entries) entry.nodePort = picked + ports.first;
    if (spec.healthCheckNodePort === port) spec.healthCheckNodePort = picked + ports.first;
  }

  return {
    name: "node-port",
    kinds: ["Service"],
    admit(request) {
      if (request.operation === "DELETE" || request.subresource !== undefined) return;
      const service = request.object as Service;
      const before = request.before as Service | undefined;
      ledger.admit(request, (taking) => {
        if (usesNodePorts(service)) {
          if (before === undefined) claimNew(taking, service);
          else claimChanged(taking, service, before);
        }
        if (!needsHealthCheck(service)) return;
        if (before === undefined || !needsHealthCheck(before)) claimHealthCheck(taking, service);
      });
    },
    accompany(request) {
      const claimName = (number: number) => `${nodePortClaims}${number + ports.first}`;
      return [
        ...ledger.takenBy(request).map((number) => ({ claim: claimName(number) })),
        ...ledger.releasedBy(request).map((number) => ({ release: claimName(number) })),
      ];
    },
    contested(request, companion) {
      if ("claim" in companion) replace(request, Number(companion.claim.slice(nodePortClaims.length)));
    },
    settle: (request, committed) => ledger.settle(request, committed),
    seed: (services) => ledger.seed(services),
    follow: (before, after) => ledger.follow(before, after),
    get taken() {
      return range.taken;
    },
  };
}

const allocated = "provided port is already allocated";

function refuse(service: Service, index: number, port: number, why: string): ApiError {
  const path = `spec.ports[${index}].nodePort`;
  return invalid("Service", "", service.metadata.name, [{ type: "Invalid", path, value: port, detail: why }]);
}

function refuseHealthCheck(port: number, why: string): ApiError {
  return internal(`failed to allocate requested HealthCheck NodePort ${port}: ${why}`);
}

function internal(message: string): ApiError {
  return new ApiError("InternalError", `Internal error occurred: ${message}`, { causes: [{ message }] });
}
