import { parseBool, parseInteger, parseList, parseRanges, parseSeconds, parseSize } from "./annotations/values.ts";

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
  /** The port that clients reach HTTPS at, for `use-port-in-redirects`. */
  readonly httpsPort: number;
}

export const defaultOptions: IngressOptions = {
  maxBodyBytes: 1024 * 1024,
  connectMs: 5_000,
  readMs: 60_000,
  sendMs: 60_000,
  tries: 3,
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
  gzip: false,
  gzipLevel: 1,
  gzipMinBytes: 256,
  gzipTypes: [
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
  ],
  opentelemetry: false,
  trustIncomingSpan: true,
  operationName: "",
  httpsPort: 443,
};

/** How a key of the ConfigMap becomes an option. */
const readers: Readonly<Record<string, (text: string) => Partial<IngressOptions> | undefined>> = {
  "proxy-body-size": as("maxBodyBytes", parseSize),
  "proxy-connect-timeout": as("connectMs", parseSeconds),
  "proxy-read-timeout": as("readMs", parseSeconds),
  "proxy-send-timeout": as("sendMs", parseSeconds),
  "proxy-next-upstream-tries": as("tries", parseInteger),
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
  "use-gzip": as("gzip", parseBool),
  "gzip-level": as("gzipLevel", (text) => (/^[1-9]$/.test(text) ? Number(text) : undefined)),
  "gzip-min-length": as("gzipMinBytes", (text) => (/^\d{1,9}$/.test(text) ? Number(text) : undefined)),
  "gzip-types": as("gzipTypes", (text) => text.split(/\s+/)),
  "denylist-source-range": as("denyRanges", parseRanges),
  "enable-opentelemetry": as("opentelemetry", parseBool),
  "opentelemetry-trust-incoming-span": as("trustIncomingSpan", parseBool),
  "opentelemetry-operation-name": as("operationName", (text) => text),
};

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
