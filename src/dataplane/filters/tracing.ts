import { parseTraceparent, parseTracestate, renderTraceparent } from "#wire/trace-context.ts";
import { newRequestId } from "../request-id.ts";
import type { Filter } from "../table.ts";
import type { RequestFilter } from "./filter.ts";

/**
 * Puts a request into its trace, or begins one: the endpoint is told the trace, and this hop as its parent. What a client
 * that is not believed says of a trace goes no further.
 */
export function compileTracing({ name, trust }: Extract<Filter, { type: "tracing" }>): RequestFilter {
  return (request) => {
    const { tracer } = request.tools;
    const said = trust ? parseTraceparent(request.field("traceparent") ?? "") : undefined;
    const traceId = said?.traceId ?? newRequestId();
    const spanId = newRequestId().slice(0, 16);
    const isSampled = tracer === undefined ? said?.isSampled === true : tracer.samples(traceId, said?.isSampled);
    request.trace = { traceId, spanId, parentId: said?.spanId, isSampled, name: `${request.method} ${name}` };
    const state = said === undefined ? undefined : parseTracestate(request.field("tracestate") ?? "");
    request.requestEdits.set("traceparent", renderTraceparent(request.trace));
    request.requestEdits.set("tracestate", state);
    return undefined;
  };
}
