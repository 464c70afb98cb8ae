import type { Filter } from "../table.ts";
import type { FieldEdits, RequestFilter } from "./filter.ts";
import { compileHttpsRedirect } from "./https-redirect.ts";
import { compileRedirect } from "./redirect.ts";
import { compileRequestHeaders } from "./request-headers.ts";
import { compileResponseHeaders } from "./response-headers.ts";
import { compileRewrite } from "./rewrite.ts";

/** A route's filters, ready to run. */
export interface CompiledFilters {
  /** In the order of the table. */
  readonly steps: readonly RequestFilter[];
  readonly requestFields: FieldEdits | undefined;
  readonly responseFields: FieldEdits | undefined;
  /** The same for answers over TLS. */
  readonly secureResponseFields: FieldEdits | undefined;
}

/** Makes a route's filters ready: those that answer or rewrite become steps, edits of fields are gathered. */
export function compileFilters(filters: readonly Filter[]): CompiledFilters {
  return {
    steps: filters.flatMap((filter) => compileStep(filter) ?? []),
    requestFields: compileRequestHeaders(filters),
    responseFields: compileResponseHeaders(filters, false),
    secureResponseFields: compileResponseHeaders(filters, true),
  };
}

function compileStep(filter: Filter): RequestFilter | undefined {
  switch (filter.type) {
    case "https-redirect":
      return compileHttpsRedirect(filter);
    case "rewrite":
      return compileRewrite(filter);
    case "redirect":
      return compileRedirect(filter);
    case "request-headers":
    case "response-headers":
      return undefined;
  }
}
