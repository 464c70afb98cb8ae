import type { ServeContext } from "../context.ts";
import { addTo, counter } from "../counters.ts";
import type { ClientRequest } from "./request.ts";
import type { Decision } from "./route-request.ts";

/** Counts in the slots of the whole, the route and the backend. */
export function book({ total }: ServeContext, { route, backend }: Decision, position: number, amount: number): void {
  if (position !== counter.open) addTo(total, position, amount);
  if (route !== undefined) addTo(route.slot, position, amount);
  if (backend !== undefined) addTo(backend.slot, position, amount);
}

/** The counter of a status' class. */
export function classOf(status: number): number {
  return counter.class1 + Math.floor(status / 100) - 1;
}

export interface Failure {
  readonly reason: string;
  readonly status: number;
  readonly endpoint: string | undefined;
}

/** Keeps a failed request with the hops it took. The query stays out: it may hold secrets. */
export function recordFailure(
  { failures, clock }: ServeContext,
  request: ClientRequest,
  { route, backend }: Decision,
  failure: Failure,
): void {
  const mark = request.target.indexOf("?");
  failures.add({
    at: clock.now(),
    host: request.host,
    method: request.method,
    path: mark === -1 ? request.target : request.target.slice(0, mark),
    route: route?.entry.id ?? "none",
    backend: backend?.entry.id,
    ...failure,
  });
}
