import type { Served } from "./served.ts";

/** The same facts as one JSON object a line, by nginx's names of them. What is not ASCII is escaped. */
export function formatJson(served: Served): string {
  const { endpoints } = served;
  const text = JSON.stringify({
    time: new Date(served.at).toISOString(),
    remote_addr: served.client,
    remote_user: served.user,
    request_method: served.method,
    request_uri: served.target,
    server_protocol: served.protocol,
    host: served.host,
    status: served.status,
    body_bytes_sent: served.bytesSent,
    request_length: served.requestBytes,
    request_time: Math.round(served.ms) / 1000,
    http_referer: served.referer,
    http_user_agent: served.userAgent,
    route: served.route,
    proxy_upstream_name: served.backend,
    upstream_addr: endpoints.join(", "),
    upstream_status: served.upstreamStatus,
    upstream_response_time: Math.round(served.upstreamMs) / 1000,
    req_id: served.requestId,
  });
  return `${text.replace(/[\x7f-\xff]/g, (byte) => `\\u00${byte.charCodeAt(0).toString(16)}`)}\n`;
}
