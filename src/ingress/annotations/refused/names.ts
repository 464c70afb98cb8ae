/** Text that would become configuration: refused with the whole Ingress, as ingress-nginx does unless told otherwise. */
export const snippets = words(`
  server-snippet configuration-snippet stream-snippet auth-snippet modsecurity-snippet
`);

/** Who may come in, by Traefik 1.7. Serving without these would open what was meant to be closed, so the routes answer 503. */
export const traefikGuards = words(`
  auth-type auth-secret auth-forward-url
`);

/** Known and without effect so far. */
export const later = words(`
  permanent-redirect-append relative-redirects from-to-www-redirect server-alias default-backend
  custom-http-errors disable-proxy-intercept-errors service-upstream affinity-canary-behavior canary-by-header
  canary-by-header-value canary-by-header-pattern canary-by-cookie canary-weight canary-weight-total
  proxy-buffer-size proxy-buffers-number
  proxy-busy-buffers-size proxy-max-temp-file-size proxy-http-version proxy-cookie-domain proxy-cookie-path
  proxy-redirect-from proxy-redirect-to connection-proxy-header http2-push-preload fastcgi-index
  fastcgi-params-configmap enable-rewrite-log limit-rate limit-rate-after auth-keepalive auth-keepalive-requests
  auth-keepalive-timeout auth-keepalive-share-vars enable-global-auth proxy-ssl-secret
  proxy-ssl-verify proxy-ssl-verify-depth proxy-ssl-name proxy-ssl-server-name proxy-ssl-ciphers
  proxy-ssl-protocols ssl-prefer-server-ciphers enable-modsecurity
  enable-owasp-core-rules modsecurity-transaction-id global-rate-limit enable-opentracing opentracing-trust-incoming-span
  enable-influxdb secure-backends session-cookie-hash add-base-url base-url-scheme grpc-backend
`);

/** The same by Traefik 1.7. */
export const traefikLater = words(`
  app-root redirect-entry-point redirect-permanent redirect-regex redirect-replacement error-pages rate-limit
  preserve-host priority frontend-entry-points pass-client-tls-cert request-modifier buffering
  load-balancer-method affinity max-conn-amount
`);

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
