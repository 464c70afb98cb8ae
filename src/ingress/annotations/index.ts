import type { AnnotationGroup } from "./group.ts";
import { accessLog } from "./access-log/access-log.ts";
import { affinity } from "./affinity/affinity.ts";
import { balance } from "./balance/balance.ts";
import { basicAuth } from "./basic-auth/basic-auth.ts";
import { bodySize } from "./body-size/body-size.ts";
import { buffering } from "./buffering/buffering.ts";
import { care } from "./care/care.ts";
import { compression } from "./compression/compression.ts";
import { cors } from "./cors/cors.ts";
import { customHeaders } from "./custom-headers/custom-headers.ts";
import { externalAuth } from "./external-auth/external-auth.ts";
import { redirect } from "./redirect/redirect.ts";
import { refused } from "./refused/refused.ts";
import { retries } from "./retries/retries.ts";
import { hsts } from "./hsts/hsts.ts";
import { limits } from "./limits/limits.ts";
import { mirror } from "./mirror/mirror.ts";
import { nginxRewrite } from "./rewrite/nginx.ts";
import { traefikRewrite } from "./rewrite/traefik.ts";
import { sslRedirect } from "./ssl-redirect/ssl-redirect.ts";
import { satisfy } from "./satisfy/satisfy.ts";
import { clientCertificate } from "./client-certificate/client-certificate.ts";
import { sslCiphers } from "./ssl-ciphers/ssl-ciphers.ts";
import { sslPassthrough } from "./ssl-passthrough/ssl-passthrough.ts";
import { sourceRanges } from "./source-ranges/source-ranges.ts";
import { timeouts } from "./timeouts/timeouts.ts";
import { tracing } from "./tracing/tracing.ts";
import { upstream } from "./upstream/upstream.ts";

/** Every annotation group once, in the order in which a request meets their effects. */
export const annotationGroups: readonly AnnotationGroup[] = [
  // No effect of its own: names what is not honoured, and closes what would otherwise stand open.
  refused,
  // Past HTTP altogether.
  sslPassthrough,
  // Every request of a trace is in it, whoever answers.
  tracing,
  sslCiphers,
  // What other origins may do holds for every answer, and an answer to the question whether they may goes first.
  cors,
  // Then redirects: one redirect goes out whatever TLS, access or endpoints say.
  redirect,
  // Then HTTPS, with the path as the client wrote it.
  sslRedirect,
  // Who has no certificate at all, where plain HTTP is not redirected; over TLS the host has looked already.
  clientCertificate,
  // Only then the path is changed for the endpoint; Traefik's form gives way to nginx's.
  nginxRewrite,
  traefikRewrite,
  // How long is waited, for endpoints and for those who say who may come in.
  timeouts,
  // How much of it, counted before anybody is refused: failed attempts count.
  limits,
  // Who may come in, once there is somebody to serve the request.
  sourceRanges,
  basicAuth,
  externalAuth,
  satisfy,
  // Who else gets what was let in.
  mirror,
  // Which endpoint serves: a cookie is heard before a text.
  affinity,
  balance,
  // What is written into answers.
  hsts,
  customHeaders,
  // What goes to the endpoint, and how: in no particular order.
  upstream,
  buffering,
  bodySize,
  retries,
  care,
  compression,
  accessLog,
];
