import type { Filter } from "../table.ts";
import type { RequestFilter } from "./filter.ts";

/**
 * Redirects to HTTPS what came without TLS: same host without port, and the target as it came, less one final slash when
 * `stripSlash` (ingress-nginx's ssl-redirect strips it even from a query, and so do we).
 */
export function compileHttpsRedirect(filter: Extract<Filter, { type: "https-redirect" }>): RequestFilter {
  const { status, port = 443, stripSlash = false } = filter;
  const suffix = port === 443 ? "" : `:${port}`;
  return ({ secure, host, target }) => {
    if (secure || host === "") return undefined;
    const kept = stripSlash && target.endsWith("/") ? target.slice(0, -1) : target;
    return { status, fields: [["Location", `https://${host}${suffix}${kept}`]] };
  };
}
