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
  httpsPort: 443,
};
