import { normalizePath } from "#wire/http1/path.ts";
import type { ServeContext } from "../context.ts";
import type { FilterAnswer, Later } from "../filters/filter.ts";
import type { Answer } from "../page.ts";
import type { Backend } from "../pool/backend.ts";
import { findHost, hostName, type CompiledRoute } from "../route.ts";
import { tellEndpoint, whyNotAdmitted } from "../tls/admit.ts";
import { LiveRequest } from "./live-request.ts";
import type { ClientRequest } from "./request.ts";

/** Where a request goes, or what it is answered at once. */
export interface Decision {
  readonly route?: CompiledRoute;
  readonly backend?: Backend;
  /** Path and query for the endpoint when they are not the client's. */
  readonly rewritten?: string;
  readonly answer?: Answer;
  /** Why the answer is a failure; absent for redirects and the like. */
  readonly reason?: string;
  /** The request as its filters see it; absent when the route has none. */
  readonly live?: LiveRequest;
  /** The request waits for a guard; `continueRequest` goes on with what came of it. */
  readonly later?: Later;
  readonly nextGuard?: number;
}

const notFound: Answer = { status: 404 };

/** Decides by the table of this moment: host, route, body limit, filters, backend. */
export function routeRequest(context: ServeContext, request: ClientRequest): Decision {
  const { hosts, backends } = context.table;
  const name = hostName(request.host);
  const host = findHost(hosts, name);
  const { peer } = request;
  const clientAuth = peer === undefined ? undefined : host?.entry.clientAuth;
  if (clientAuth !== undefined && peer !== undefined) {
    const refusal = whyNotAdmitted(clientAuth, name, peer);
    if (refusal !== undefined) return refusal;
  }
  const path = request.target === "*" ? { path: "/", query: "" } : normalizePath(request.target);
  if (path === undefined) return { answer: { status: 400 }, reason: "bad path" };
  const match = host?.routeOf(path.path);
  if (path.otherwise !== undefined && host?.routeOf(path.otherwise)?.route !== match?.route) {
    return { answer: { status: 400 }, reason: "the path can be read in two ways that take different routes" };
  }
  if (match === undefined) return { answer: notFound };
  const { route } = match;
  if (match.isUndecided) {
    return { route, answer: { status: 500 }, reason: "the path takes too long to compare with the regular expression" };
  }
  const { entry, filters } = route;
  if (entry.maxBodyBytes > 0 && request.framing > entry.maxBodyBytes && request.framing <= maxLength) {
    return { route, answer: { status: 413 }, reason: "body too large" };
  }
  const filtered = filters.steps.length > 0 || filters.guards.length > 0 || filters.compression !== undefined;
  const live = filtered || clientAuth !== undefined ? new LiveRequest(context, request, path, match.groups) : undefined;
  if (live !== undefined && clientAuth !== undefined && peer !== undefined) {
    tellEndpoint(live.requestEdits, clientAuth, peer);
  }
  if (live !== undefined) {
    for (const step of filters.steps) {
      const answer = step(live);
      if (answer !== undefined) return { route, live, answer, reason: answer.reason };
    }
  }
  const { target } = entry;
  if (target.type === "answer") {
    if (target.status < 500) return passGuards({ route, live }, 0);
    return { route, live, answer: { status: target.status }, reason: target.reason };
  }
  const backend = backends.get(target.backend);
  if (backend === undefined || backend.endpoints.length === 0) {
    const reason = backend === undefined ? "no such backend" : "no endpoints";
    return { route, live, backend, answer: { status: 503 }, reason };
  }
  if (live !== undefined) live.backend = backend.entry.id;
  return passGuards({ route, live, backend }, 0);
}

/** Goes on after a guard that had to be waited for. */
export function continueRequest(decision: Decision, answer: FilterAnswer | undefined): Decision {
  const { route, backend, live, nextGuard = 0 } = decision;
  if (live !== undefined) live.isStale = true;
  if (answer !== undefined) return { route, backend, live, answer, reason: answer.reason };
  return passGuards({ route, backend, live }, nextGuard);
}

function passGuards(decision: Decision, from: number): Decision {
  const { route, live } = decision;
  const target = route?.entry.target;
  if (live !== undefined && route !== undefined) {
    const { guards } = route.filters;
    for (let at = from; at < guards.length; at += 1) {
      const outcome = guards[at]?.(live);
      if (outcome === undefined) continue;
      if ("start" in outcome) return { ...decision, later: outcome, nextGuard: at + 1 };
      return { ...decision, answer: outcome, reason: outcome.reason };
    }
  }
  if (target?.type === "answer") return { ...decision, answer: { status: target.status } };
  return live?.rewritten === undefined ? decision : { ...decision, rewritten: live.rewritten };
}

/** The longest length a Content-Length can say; what is above marks chunks. */
const maxLength = 999_999_999_999_999;
