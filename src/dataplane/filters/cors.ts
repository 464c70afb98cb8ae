import type { Filter } from "../table.ts";
import type { RequestFilter } from "./filter.ts";

/**
 * Cross-origin rules as ingress-nginx has them: on every answer to an origin that is let in, whoever gives the answer, and
 * in place of what the endpoint says; OPTIONS of such an origin is answered here. `*` lets in everybody, also who names no
 * origin.
 */
export function compileCors(filter: Extract<Filter, { type: "cors" }>): RequestFilter {
  const { origins, methods, headers, exposed, credentials, maxAge } = filter;
  const isOpen = origins.includes("*");
  const patterns = origins.map(compileOrigin);
  const fixed: (readonly [name: string, value: string])[] = [];
  if (credentials) fixed.push(["Access-Control-Allow-Credentials", "true"]);
  fixed.push(["Access-Control-Allow-Methods", methods], ["Access-Control-Allow-Headers", headers]);
  if (exposed !== undefined) fixed.push(["Access-Control-Expose-Headers", exposed]);
  fixed.push(["Access-Control-Max-Age", String(maxAge)]);
  return (request) => {
    const origin = request.field("origin");
    if (!isOpen && (origin === undefined || !patterns.some((pattern) => pattern.test(origin)))) return undefined;
    request.responseEdits.set("Access-Control-Allow-Origin", isOpen ? "*" : origin);
    for (const [name, value] of fixed) request.responseEdits.set(name, value);
    return request.method === "OPTIONS" ? preflight : undefined;
  };
}

const preflight = { status: 204, fields: [["Content-Type", "text/plain charset=UTF-8"]] } as const;

/** `*.` stands for one label; all else is meant as written, in any case. */
function compileOrigin(origin: string): RegExp {
  const escaped = origin.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replace("\\*\\.", "[a-z0-9-]+\\.")}$`, "i");
}
