import type { Filter } from "#dataplane/table.ts";
import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { parseBool } from "../values.ts";

const redirectKey = `${nginx}ssl-redirect`;
const force = `${nginx}force-ssl-redirect`;
const preserve = `${nginx}preserve-trailing-slash`;
const withPort = `${nginx}use-port-in-redirects`;

/**
 * Redirects plain HTTP to HTTPS where the host has TLS (`ssl-redirect`, on unless switched off) or everywhere
 * (`force-ssl-redirect`); never for paths that certificate authorities ask for.
 */
export const sslRedirect: AnnotationGroup = {
  name: "ssl-redirect",
  keys: [redirectKey, force, preserve, withPort],
  parse(reader, options) {
    const read = (key: string): boolean | undefined => reader.read(key, parseBool, "ignore", "true or false");
    const wanted = read(redirectKey) ?? options.sslRedirect;
    const forced = read(force) ?? options.forceSslRedirect;
    const keepSlash = read(preserve) ?? options.preserveTrailingSlash;
    const port = (read(withPort) ?? options.usePortInRedirects) ? options.httpsPort : 443;
    const filter: Filter = {
      type: "https-redirect",
      status: options.redirectStatus,
      ...(port === 443 ? {} : { port }),
      ...(keepSlash ? {} : { stripSlash: true }),
    };
    const effect: RouteEffect = (draft, { path, tls }) => {
      if (!forced && !(wanted && tls)) return draft;
      if (options.noTlsRedirectPaths.some((start) => path.startsWith(start))) return draft;
      return { ...draft, filters: [...draft.filters, filter] };
    };
    return { effect };
  },
};
