import { normalizePath } from "#wire/http1/path.ts";
import type { ServeContext } from "../context.ts";
import type { FilteredRequest } from "../filters/filter.ts";
import type { Answer } from "../page.ts";
import type { Backend } from "../pool/backend.ts";
import { findHost, hostName, type CompiledRoute } from "../route.ts";
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
}

const notFound: Answer = { status: 404 };

/** Decides by the table of this moment: host, route, body limit, filters, backend. */
export function routeRequest(context: ServeContext, request: ClientRequest): Decision {
  const { hosts, backends } = context.table;
  const { forwarding } = request;
  const name = hostName(forwarding.host ?? request.host);
  const host = findHost(hosts, hostName(request.host));
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
  let rewritten: string | undefined;
  if (filters.steps.length > 0) {
    const filtered: FilteredRequest = {
      secure: forwarding.secure,
      host: name,
      target: request.target,
      path: path.path,
      query: path.query,
      groups: match.groups,
      rewritten: undefined,
    };
    for (const step of filters.steps) {
      const answer = step(filtered);
      if (answer !== undefined) return { route, answer };
    }
    rewritten = filtered.rewritten;
  }
  const { target } = entry;
  if (target.type === "answer") {
    const reason = target.status >= 500 ? target.reason : undefined;
    return { route, answer: { status: target.status }, reason };
  }
  const backend = backends.get(target.backend);
  if (backend === undefined || backend.endpoints.length === 0) {
    return {
      route,
      backend,
      answer: { status: 503 },
      reason: backend === undefined ? "no such backend" : "no endpoints",
    };
  }
  return { route, backend, rewritten };
}

/** The longest length a Content-Length can say; what is above marks chunks. */
const maxLength = 999_999_999_999_999;
