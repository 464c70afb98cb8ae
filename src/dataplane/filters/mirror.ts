import type { Filter } from "../table.ts";
import type { Guard } from "./filter.ts";
import { compileTemplate } from "./template.ts";

/** Has a copy of each request that is let in sent elsewhere; what comes back is thrown away. Never refuses. */
export function compileMirror(filter: Extract<Filter, { type: "mirror" }>): Guard {
  const { backend, host, withBody, timeouts } = filter;
  const target = compileTemplate(filter.target);
  return (request) => {
    const { method, client, authority, secure } = request;
    const fields = [
      ["X-Real-IP", client],
      ["X-Forwarded-For", client],
      ["X-Forwarded-Host", authority],
      ["X-Forwarded-Proto", secure ? "https" : "http"],
    ] as const;
    request.copyTo({ backend, method, host, target: target(request), fields, timeouts }, withBody);
    return undefined;
  };
}
