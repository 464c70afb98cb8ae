import type { Filter } from "#dataplane/table.ts";
import type { RouteEffect } from "#routing/l7/settings.ts";
import type { AnnotationGroup } from "../group.ts";

/**
 * Strict-Transport-Security (RFC 6797) in answers over TLS of hosts that have TLS, in place of what the endpoint says. No
 * annotation changes it; the options do.
 */
export const hsts: AnnotationGroup = {
  name: "hsts",
  keys: [],
  parse(_reader, { hsts, hstsMaxAge, hstsIncludeSubdomains, hstsPreload }) {
    if (!hsts) return {};
    const parts = [`max-age=${hstsMaxAge}`];
    if (hstsIncludeSubdomains) parts.push("includeSubDomains");
    if (hstsPreload) parts.push("preload");
    const set = [["Strict-Transport-Security", parts.join("; ")]] as const;
    const filter: Filter = { type: "response-headers", set, secureOnly: true };
    const effect: RouteEffect = (draft, { tls }) => (tls ? { ...draft, filters: [...draft.filters, filter] } : draft);
    return { effect };
  },
};
