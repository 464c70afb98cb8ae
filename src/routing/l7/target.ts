import type { Service } from "#api/core/service/kind.ts";
import type { Ingress } from "#api/networking/ingress/kind.ts";
import type { RouteTarget } from "#dataplane/table.ts";
import { sourceOf, type Problem, type Source } from "../because.ts";
import { backendRef, findPort, type BackendRef } from "./backend.ts";
import type { Claim } from "./claim.ts";
import type { RouteDraft } from "./settings.ts";

/** Where a route leads, with what it was decided from. */
export interface TargetOutcome {
  readonly target: RouteTarget;
  readonly backend?: BackendRef;
  readonly from: readonly Source[];
  readonly problems: readonly Problem[];
  /** `namespace/service`, found or not: a change of it may change this outcome. */
  readonly service?: string;
}

/**
 * The target of a claim: the backend of its service port; 503 where the Service or its port does not exist; 404 for a
 * backend that is no Service and for a host named without paths.
 */
export function compileTarget(
  ingress: Ingress,
  claim: Claim,
  draft: Pick<RouteDraft, "protocol" | "balance" | "care">,
  serviceOf: (key: string) => Service | undefined,
): TargetOutcome {
  const at = sourceOf(ingress, claim.field);
  const answer = (status: number, reason: string): RouteTarget => ({ type: "answer", status, reason });
  if (claim.backend === undefined) return { target: answer(404, "no default backend"), from: [at], problems: [] };
  const { service: wanted, resource } = claim.backend;
  if (wanted === undefined) {
    const what = resource === undefined ? "nothing" : `${resource.kind} ${resource.name}`;
    const message = `the backend is ${what}; only Services can be served, so ${claim.path} answers 404`;
    const problems = [{ at, code: "backend-not-a-service", message }];
    return { target: answer(404, `backend is ${what}`), from: [at], problems };
  }
  const ref = backendRef(ingress.metadata.namespace ?? "", wanted, draft);
  const service = serviceOf(ref.service);
  if (service === undefined) {
    const message = `Service ${ref.service} does not exist; ${claim.path} answers 503 until it is created`;
    const problems = [{ at, code: "service-not-found", message }];
    return { target: answer(503, `no Service ${ref.service}`), from: [at], problems, service: ref.service };
  }
  const from = [at, sourceOf(service)];
  if (findPort(service, ref.port) === undefined) {
    const has = (service.spec?.ports ?? []).map(({ name, port }) => (name ? `${name} (${port})` : String(port)));
    const ports = has.length === 0 ? "it has none" : `it has ${has.join(", ")}`;
    const message = `Service ${ref.service} has no port ${ref.port}, ${ports}; ${claim.path} answers 503 until one matches`;
    const problems = [{ at, code: "service-port-not-found", message }];
    return {
      target: answer(503, `no port ${ref.port} in Service ${ref.service}`),
      from,
      problems,
      service: ref.service,
    };
  }
  const target: RouteTarget = { type: "backend", backend: ref.id };
  return { target, backend: ref, from, problems: [], service: ref.service };
}
