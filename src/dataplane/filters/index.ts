import type { Filter } from "../table.ts";
import type { FieldEdits, Guard, RequestFilter } from "./filter.ts";
import { anyOf } from "./any-of.ts";
import { compileAffinity } from "./affinity.ts";
import { compileBasicAuth } from "./basic-auth.ts";
import { compileClientCertificate } from "./client-certificate.ts";
import { compileCompression, type Compression } from "./compression.ts";
import { compileCors } from "./cors.ts";
import { compileExternalAuth } from "./external-auth.ts";
import { compileHashBy } from "./hash-by.ts";
import { compileHttpsRedirect } from "./https-redirect.ts";
import { compileLimits } from "./limits.ts";
import { compileMirror } from "./mirror.ts";
import { compileRedirect } from "./redirect.ts";
import { compileRequestHeaders } from "./request-headers.ts";
import { compileResponseHeaders } from "./response-headers.ts";
import { compileRewrite } from "./rewrite.ts";
import { compileSourceRanges } from "./source-ranges.ts";
import { compileTracing } from "./tracing.ts";

/** A route's filters, ready to run; each list in the order of the table. */
export interface CompiledFilters {
  /** They answer or rewrite, whether or not anybody could serve the request. */
  readonly steps: readonly RequestFilter[];
  /** They let a request in that somebody could serve. */
  readonly guards: readonly Guard[];
  readonly requestFields: FieldEdits | undefined;
  readonly responseFields: FieldEdits | undefined;
  /** The same for answers over TLS. */
  readonly secureResponseFields: FieldEdits | undefined;
  readonly compression: Compression | undefined;
  /** Requests do not stand in the access log. */
  readonly isQuiet: boolean;
}

/** Makes a route's filters ready: those that answer or rewrite become steps and guards, edits of fields are gathered. */
export function compileFilters(filters: readonly Filter[]): CompiledFilters {
  return {
    steps: filters.flatMap((filter) => compileStep(filter) ?? []),
    guards: compileGuards(filters),
    requestFields: compileRequestHeaders(filters),
    responseFields: compileResponseHeaders(filters, false),
    secureResponseFields: compileResponseHeaders(filters, true),
    compression: compileCompression(filters),
    isQuiet: filters.some(({ type }) => type === "quiet"),
  };
}

function compileStep(filter: Filter): RequestFilter | undefined {
  switch (filter.type) {
    case "tracing":
      return compileTracing(filter);
    case "cors":
      return compileCors(filter);
    case "https-redirect":
      return compileHttpsRedirect(filter);
    case "client-certificate":
      return compileClientCertificate(filter);
    case "rewrite":
      return compileRewrite(filter);
    case "redirect":
      return compileRedirect(filter);
    default:
      return undefined;
  }
}

/** Those that decide who may come in, all of them or any, as the route has it. */
const access = new Set<Filter["type"]>(["source-ranges", "basic-auth", "external-auth"]);

function compileGuards(filters: readonly Filter[]): Guard[] {
  const compile = (some: readonly Filter[]) => some.flatMap((filter) => compileGuard(filter) ?? []);
  const first = filters.findIndex(({ type }) => access.has(type));
  if (first === -1 || !filters.some(({ type }) => type === "satisfy-any")) return compile(filters);
  const any = anyOf(compile(filters.filter(({ type }) => access.has(type))));
  const after = filters.slice(first).filter(({ type }) => !access.has(type));
  return [...compile(filters.slice(0, first)), any, ...compile(after)];
}

function compileGuard(filter: Filter): Guard | undefined {
  switch (filter.type) {
    case "source-ranges":
      return compileSourceRanges(filter);
    case "mirror":
      return compileMirror(filter);
    case "hash-by":
      return compileHashBy(filter);
    case "affinity":
      return compileAffinity(filter);
    case "limits":
      return compileLimits(filter);
    case "basic-auth":
      return compileBasicAuth(filter);
    case "external-auth":
      return compileExternalAuth(filter);
    default:
      return undefined;
  }
}
