import type { Span } from "./span.ts";

type Attribute = { readonly key: string; readonly value: Readonly<Record<string, string>> };

const text = (key: string, value: string): Attribute[] =>
  value === "" ? [] : [{ key, value: { stringValue: value } }];
const number = (key: string, value: number): Attribute[] => [{ key, value: { intValue: String(value) } }];

/** SPAN_KIND_SERVER and STATUS_CODE_ERROR of OTLP's `trace.proto`. */
const server = 2;
const failed = 2;

/**
 * The body of an OTLP/HTTP request in JSON (opentelemetry-proto, `ExportTraceServiceRequest`). Attributes are those of
 * the semantic conventions of HTTP; the query stays out, it may hold secrets.
 */
export function renderOtlp(spans: readonly Span[], serviceName: string, version: string): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: text("service.name", serviceName) },
        scopeSpans: [{ scope: { name: "fairlead", version }, spans: spans.map(renderSpan) }],
      },
    ],
  });
}

function renderSpan({ traceId, spanId, parentId, name, served }: Span): object {
  const { at, ms, status, endpoints } = served;
  const [path = ""] = served.target.split("?");
  const nanos = (time: number) => `${Math.round(time * 1000)}000`;
  return {
    traceId,
    spanId,
    ...(parentId === undefined ? {} : { parentSpanId: parentId }),
    name,
    kind: server,
    startTimeUnixNano: nanos(at - ms),
    endTimeUnixNano: nanos(at),
    attributes: [
      ...text("http.request.method", served.method),
      ...number("http.response.status_code", status),
      ...text("url.path", path),
      ...text("server.address", served.host),
      ...text("client.address", served.client),
      ...text("network.protocol.version", served.protocol.replace(/^HTTP\//, "").replace(/^2\.0$/, "2")),
      ...text("user_agent.original", served.userAgent),
      ...(endpoints.length > 1 ? number("http.request.resend_count", endpoints.length - 1) : []),
      ...text("fairlead.route", served.route),
      ...text("fairlead.backend", served.backend),
      ...text("fairlead.endpoint", endpoints.at(-1) ?? ""),
    ],
    ...(status >= 500 ? { status: { code: failed } } : {}),
  };
}
