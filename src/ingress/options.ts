import { defaultOutliers } from "#dataplane/pool/outliers.ts";
import { defaultRetry } from "#dataplane/retry.ts";
import type { HealthCheck, RetryCondition } from "#dataplane/table.ts";
import {
  oneOf,
  parseBool,
  parseCount,
  parseList,
  parseOperation,
  parseRanges,
  parseRetryConditions,
  parseSeconds,
  parseSize,
  textOf,
} from "./annotations/values.ts";

import { defaultTls, type TlsSettings } from "#dataplane/tls/settings.ts";
import { parseCiphers, parseCurves, parseTlsVersions } from "./tls-values.ts";

/**
 * What holds for every Ingress that does not say otherwise by annotation. The names and defaults are those of the
 * ingress-nginx ConfigMap.
 */
export interface IngressOptions {
  /** `proxy-body-size` in bytes; 0 for no limit. */
  readonly maxBodyBytes: number;
  /** `proxy-connect-timeout` in milliseconds. */
  readonly connectMs: number;
  /** `proxy-read-timeout` in milliseconds. */
  readonly readMs: number;
  /** `proxy-send-timeout` in milliseconds. */
  readonly sendMs: number;
  /** `proxy-next-upstream-tries`; 0 for no limit. */
  readonly tries: number;
  /** `proxy-next-upstream`; none for `off`. */
  readonly retryOn: readonly RetryCondition[];
  /** `proxy-next-upstream-timeout`, in milliseconds; 0 for no limit. */
  readonly retryWithinMs: number;
  /** `retry-non-idempotent`. */
  readonly retryNonIdempotent: boolean;
  /** `proxy-request-buffering`. */
  readonly requestBuffering: "on" | "off";
  /** `client-body-buffer-size`, in bytes. */
  readonly bodyBufferBytes: number;
  /** `ssl-redirect`: hosts with TLS redirect plain HTTP. */
  readonly sslRedirect: boolean;
  /** `force-ssl-redirect`: all hosts do. */
  readonly forceSslRedirect: boolean;
  /** `http-redirect-code`. */
  readonly redirectStatus: number;
  /** `preserve-trailing-slash`. */
  readonly preserveTrailingSlash: boolean;
  /** `use-port-in-redirects`. */
  readonly usePortInRedirects: boolean;
  /** `no-tls-redirect-locations`: rule paths that begin so never redirect. */
  readonly noTlsRedirectPaths: readonly string[];
  /** `whitelist-source-range`: who may come in where an Ingress does not say; everybody when empty. */
  readonly allowRanges: readonly string[];
  /** `denylist-source-range`: who may not. */
  readonly denyRanges: readonly string[];
  /** `limit-req-status-code`. */
  readonly limitRequestStatus: number;
  /** `limit-conn-status-code`. */
  readonly limitConnectionStatus: number;
  /** `global-allowed-response-headers`: what `custom-headers` may set; all but framing when absent. */
  readonly allowedResponseHeaders: readonly string[] | undefined;
  /** `hsts`: answers over TLS carry Strict-Transport-Security. */
  readonly hsts: boolean;
  /** `hsts-max-age`, in seconds. */
  readonly hstsMaxAge: number;
  /** `hsts-include-subdomains`. */
  readonly hstsIncludeSubdomains: boolean;
  /** `hsts-preload`. */
  readonly hstsPreload: boolean;
  /** `load-balance`. */
  readonly balance: "round-robin" | "ewma" | "least-request";
  /** `upstream-outlier-failures`: after so many gateway errors in a row an endpoint is left out; 0 for never. */
  readonly outlierFailures: number;
  /** `upstream-outlier-time`, in milliseconds: for how long, the first time. */
  readonly outlierMs: number;
  /** `upstream-health-check`: how endpoints are asked how they are. */
  readonly checkType: "off" | HealthCheck["type"];
  /** `upstream-health-check-path`: a path, or a service of gRPC; empty for `/`, and for the whole server. */
  readonly checkPath: string;
  /** `upstream-health-check-interval`, in milliseconds. */
  readonly checkIntervalMs: number;
  /** `upstream-health-check-timeout`, in milliseconds. */
  readonly checkTimeoutMs: number;
  /** `upstream-health-check-healthy`: so many good answers in a row bring an endpoint back. */
  readonly checkHealthy: number;
  /** `upstream-health-check-unhealthy`: so many bad ones put it out. */
  readonly checkUnhealthy: number;
  /** `upstream-slow-start`, in milliseconds: how long an endpoint that joins others takes to get its share; 0 for at once. */
  readonly slowStartMs: number;
  /** `upstream-max-requests`: requests under way to one backend; 0 for no limit, and so with the next two. */
  readonly backendRequests: number;
  /** `upstream-max-connections`: connections to all endpoints of one backend. */
  readonly backendConnections: number;
  /** `upstream-max-endpoint-connections`: connections to one endpoint. */
  readonly endpointConnections: number;
  /** `upstream-max-pending`: requests that may wait for a connection where those are limited. */
  readonly backendPending: number;
  /** `use-gzip`. */
  readonly gzip: boolean;
  /** `gzip-level`, 1 to 9. */
  readonly gzipLevel: number;
  /** `gzip-min-length`, in bytes. */
  readonly gzipMinBytes: number;
  /** `gzip-types`; text/html is always among them. */
  readonly gzipTypes: readonly string[];
  /** `enable-opentelemetry`. */
  readonly opentelemetry: boolean;
  /** `opentelemetry-trust-incoming-span`. */
  readonly trustIncomingSpan: boolean;
  /** `opentelemetry-operation-name`; the rule's path when empty. */
  readonly operationName: string;
  /** `proxy-stream-timeout` in milliseconds: how long a TCP stream may be silent. */
  readonly streamMs: number;
  /** `proxy-stream-next-upstream`: a stream whose endpoint cannot be reached tries another. */
  readonly streamRetries: boolean;
  /** `proxy-stream-next-upstream-tries`; 0 for no limit. */
  readonly streamTries: number;
  /** `enable-brotli`. */
  readonly brotli: boolean;
  /** `brotli-level`, 0 to 11. */
  readonly brotliLevel: number;
  /** `brotli-min-length`, in bytes. */
  readonly brotliMinBytes: number;
  /** `brotli-types`. */
  readonly brotliTypes: readonly string[];
  /** `enable-zstd`, which ingress-nginx has not, and so with the next three. */
  readonly zstd: boolean;
  /** `zstd-level`, 1 to 19. */
  readonly zstdLevel: number;
  /** `zstd-min-length`, in bytes. */
  readonly zstdMinBytes: number;
  /** `zstd-types`. */
  readonly zstdTypes: readonly string[];
  /** `use-proxy-protocol`: connections to Ingress begin with a PROXY header. */
  readonly useProxyProtocol: boolean;
  /** `proxy-protocol-header-timeout` in milliseconds: how long it may take. */
  readonly proxyHeaderMs: number;
  /** `proxy-real-ip-cidr`: the proxies whose PROXY header is believed. */
  readonly proxyRanges: readonly string[];
  /** `ssl-protocols`: the oldest and the newest. */
  readonly tlsVersions: readonly [TlsSettings["minVersion"], TlsSettings["maxVersion"]];
  /** `ssl-ciphers`, of TLS 1.2. */
  readonly tlsCiphers: string;
  /** `ssl-ecdh-curve`. */
  readonly tlsCurves: string;
  /** `enable-ocsp`: handshakes carry what responders say of the certificates. */
  readonly ocsp: boolean;
  /** The port that clients reach HTTPS at, for `use-port-in-redirects`. */
  readonly httpsPort: number;
}

/** What ingress-nginx compresses. */
const textTypes: readonly string[] = [
  "application/atom+xml",
  "application/javascript",
  "application/x-javascript",
  "application/json",
  "application/rss+xml",
  "application/vnd.ms-fontobject",
  "application/x-font-ttf",
  "application/x-web-app-manifest+json",
  "application/xhtml+xml",
  "application/xml",
  "font/opentype",
  "image/svg+xml",
  "image/x-icon",
  "text/css",
  "text/javascript",
  "text/plain",
  "text/x-component",
];

export const defaultOptions: IngressOptions = {
  maxBodyBytes: 1024 * 1024,
  connectMs: 5_000,
  readMs: 60_000,
  sendMs: 60_000,
  tries: defaultRetry.tries,
  retryOn: defaultRetry.on,
  retryWithinMs: defaultRetry.withinMs,
  retryNonIdempotent: false,
  requestBuffering: "on",
  bodyBufferBytes: defaultRetry.keepBytes,
  sslRedirect: true,
  forceSslRedirect: false,
  redirectStatus: 308,
  preserveTrailingSlash: false,
  usePortInRedirects: false,
  noTlsRedirectPaths: ["/.well-known/acme-challenge"],
  allowRanges: [],
  denyRanges: [],
  limitRequestStatus: 503,
  limitConnectionStatus: 503,
  allowedResponseHeaders: undefined,
  hsts: true,
  hstsMaxAge: 31_536_000,
  hstsIncludeSubdomains: true,
  hstsPreload: false,
  balance: "round-robin",
  outlierFailures: defaultOutliers.failures,
  outlierMs: defaultOutliers.ejectMs,
  checkType: "off",
  checkPath: "",
  checkIntervalMs: 10_000,
  checkTimeoutMs: 3_000,
  checkHealthy: 2,
  checkUnhealthy: 3,
  slowStartMs: 0,
  backendRequests: 0,
  backendConnections: 0,
  endpointConnections: 0,
  backendPending: 0,
  streamMs: 600_000,
  streamRetries: true,
  streamTries: 3,
  gzip: false,
  gzipLevel: 1,
  gzipMinBytes: 256,
  gzipTypes: textTypes,
  brotli: false,
  brotliLevel: 4,
  brotliMinBytes: 20,
  brotliTypes: textTypes,
  zstd: false,
  zstdLevel: 3,
  zstdMinBytes: 256,
  zstdTypes: textTypes,
  opentelemetry: false,
  trustIncomingSpan: true,
  operationName: "",
  useProxyProtocol: false,
  proxyHeaderMs: 5_000,
  proxyRanges: ["0.0.0.0/0", "::/0"],
  tlsVersions: [defaultTls.minVersion, defaultTls.maxVersion],
  tlsCiphers: defaultTls.ciphers,
  tlsCurves: defaultTls.curves,
  ocsp: false,
  httpsPort: 443,
};

/** How a key of the ConfigMap becomes an option. */
const readers: Readonly<Record<string, (text: string) => Partial<IngressOptions> | undefined>> = {
  "proxy-body-size": as("maxBodyBytes", parseSize),
  "proxy-connect-timeout": as("connectMs", parseSeconds),
  "proxy-read-timeout": as("readMs", parseSeconds),
  "proxy-send-timeout": as("sendMs", parseSeconds),
  "proxy-next-upstream-tries": as("tries", parseCount),
  "proxy-next-upstream": as("retryOn", parseRetryConditions),
  "proxy-next-upstream-timeout": as("retryWithinMs", parseSeconds),
  "retry-non-idempotent": as("retryNonIdempotent", parseBool),
  "proxy-request-buffering": as("requestBuffering", oneOf(["on", "off"])),
  "client-body-buffer-size": as("bodyBufferBytes", parseSize),
  "ssl-redirect": as("sslRedirect", parseBool),
  "force-ssl-redirect": as("forceSslRedirect", parseBool),
  "http-redirect-code": as("redirectStatus", (text) => {
    return ["301", "302", "307", "308"].includes(text) ? Number(text) : undefined;
  }),
  "preserve-trailing-slash": as("preserveTrailingSlash", parseBool),
  "use-port-in-redirects": as("usePortInRedirects", parseBool),
  "no-tls-redirect-locations": as("noTlsRedirectPaths", parseList),
  "whitelist-source-range": as("allowRanges", parseRanges),
  "limit-req-status-code": as("limitRequestStatus", parseErrorStatus),
  "limit-conn-status-code": as("limitConnectionStatus", parseErrorStatus),
  "global-allowed-response-headers": as("allowedResponseHeaders", parseList),
  hsts: as("hsts", parseBool),
  "hsts-max-age": as("hstsMaxAge", (text) => (/^\d{1,10}$/.test(text) ? Number(text) : undefined)),
  "hsts-include-subdomains": as("hstsIncludeSubdomains", parseBool),
  "hsts-preload": as("hstsPreload", parseBool),
  "load-balance": as("balance", (text) => {
    return text === "round_robin" ? "round-robin" : text === "ewma" ? "ewma" : undefined;
  }),
  "upstream-outlier-failures": as("outlierFailures", parseCount),
  "upstream-outlier-time": as("outlierMs", (text) => parseSeconds(text) || undefined),
  "upstream-health-check": as("checkType", oneOf(["off", "http", "tcp", "grpc"])),
  "upstream-health-check-path": as("checkPath", textOf(/^[!-~]{0,100}$/)),
  "upstream-health-check-interval": as("checkIntervalMs", (text) => parseSeconds(text) || undefined),
  "upstream-health-check-timeout": as("checkTimeoutMs", (text) => parseSeconds(text) || undefined),
  "upstream-health-check-healthy": as("checkHealthy", (text) => parseCount(text) || undefined),
  "upstream-health-check-unhealthy": as("checkUnhealthy", (text) => parseCount(text) || undefined),
  "upstream-slow-start": as("slowStartMs", parseSeconds),
  "upstream-max-requests": as("backendRequests", parseCount),
  "upstream-max-connections": as("backendConnections", parseCount),
  "upstream-max-endpoint-connections": as("endpointConnections", parseCount),
  "upstream-max-pending": as("backendPending", parseCount),
  "proxy-stream-timeout": as("streamMs", (text) => parseSeconds(text.replace(/s$/, ""))),
  "proxy-stream-next-upstream": as("streamRetries", parseBool),
  "proxy-stream-next-upstream-tries": as("streamTries", (text) => (/^\d{1,4}$/.test(text) ? Number(text) : undefined)),
  "use-proxy-protocol": as("useProxyProtocol", parseBool),
  "proxy-protocol-header-timeout": as("proxyHeaderMs", (text) => parseSeconds(text.replace(/s$/, "")) || undefined),
  "proxy-real-ip-cidr": as("proxyRanges", parseRanges),
  "ssl-protocols": as("tlsVersions", parseTlsVersions),
  "ssl-ciphers": as("tlsCiphers", parseCiphers),
  "ssl-ecdh-curve": as("tlsCurves", parseCurves),
  "enable-ocsp": as("ocsp", parseBool),
  "use-gzip": as("gzip", parseBool),
  "gzip-level": as("gzipLevel", levelUpTo(1, 9)),
  "gzip-min-length": as("gzipMinBytes", parseCount),
  "gzip-types": as("gzipTypes", parseWords),
  "enable-brotli": as("brotli", parseBool),
  "brotli-level": as("brotliLevel", levelUpTo(0, 11)),
  "brotli-min-length": as("brotliMinBytes", parseCount),
  "brotli-types": as("brotliTypes", parseWords),
  "enable-zstd": as("zstd", parseBool),
  "zstd-level": as("zstdLevel", levelUpTo(1, 19)),
  "zstd-min-length": as("zstdMinBytes", parseCount),
  "zstd-types": as("zstdTypes", parseWords),
  "denylist-source-range": as("denyRanges", parseRanges),
  "enable-opentelemetry": as("opentelemetry", parseBool),
  "opentelemetry-trust-incoming-span": as("trustIncomingSpan", parseBool),
  "opentelemetry-operation-name": as("operationName", parseOperation),
};

/** The names that `readOptions` knows. */
export const knownOptions: ReadonlySet<string> = new Set(Object.keys(readers));

/**
 * Reads the `data` of an ingress-nginx ConfigMap. Keys that are not known are left alone; `refused` names those whose
 * value cannot be used and keeps the default, as ingress-nginx does.
 */
export function readOptions(data: Readonly<Record<string, string>>): {
  options: Partial<IngressOptions>;
  refused: readonly string[];
} {
  let options: Partial<IngressOptions> = {};
  const refused: string[] = [];
  for (const [key, text] of Object.entries(data)) {
    const read = Object.hasOwn(readers, key) ? readers[key] : undefined;
    const value = read?.(text.trim());
    if (value !== undefined) options = { ...options, ...value };
    else if (read !== undefined) refused.push(key);
  }
  return { options, refused };
}

/** How hard something is compressed. */
function levelUpTo(least: number, most: number): (text: string) => number | undefined {
  return (text) => {
    const level = /^\d{1,2}$/.test(text) ? Number(text) : -1;
    return level >= least && level <= most ? level : undefined;
  };
}

function parseWords(text: string): readonly string[] {
  return text.split(/\s+/);
}

/** A status that tells of an error. */
function parseErrorStatus(text: string): number | undefined {
  return /^[45]\d\d$/.test(text) ? Number(text) : undefined;
}

function as<K extends keyof IngressOptions>(
  name: K,
  parse: (text: string) => IngressOptions[K] | undefined,
): (text: string) => Partial<IngressOptions> | undefined {
  return (text) => {
    const value = parse(text);
    return value === undefined ? undefined : { [name]: value };
  };
}
