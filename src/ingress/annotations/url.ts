import { fixedBackend, leadsInside, type BackendRef } from "#routing/l7/backend.ts";

/** A URL of an annotation, parted into whom to ask and what to ask for. */
export interface AskedUrl {
  readonly scheme: "http" | "https";
  /** As written, in lower case; may be `$host`. */
  readonly host: string;
  readonly port: number;
  /** Path and query with their variables. */
  readonly target: string;
}

/** Parts `http://host:port/path?query`. One sentence where it is none, or where its host may not be asked. */
export function readUrl(text: string): AskedUrl | string {
  const [, scheme, host = "", port, rest = ""] =
    /^(https?):\/\/(\[[0-9a-f:.]+\]|[^/?#:@]+)(?::(\d{1,5}))?([/?].*)?$/i.exec(text) ?? [];
  if (scheme === undefined || host.includes("..")) return "it is no URL of the form http://host/path";
  const known = host === "$host" || host === "$http_host" || host === "$best_http_host";
  if (!known && !/^(\[.*\]|[a-z0-9]([-_.a-z0-9]*[a-z0-9])?)$/i.test(host)) return "only $host may stand for its host";
  if (leadsInside(host.toLowerCase().replace(/^\[(.*)\]$/, "$1"))) return "its host is this machine itself";
  const isSecure = scheme.toLowerCase() === "https";
  return {
    scheme: isSecure ? "https" : "http",
    host: known ? "$host" : host.toLowerCase(),
    port: port === undefined ? (isSecure ? 443 : 80) : Number(port),
    target: rest.startsWith("/") ? rest : `/${rest}`,
  };
}

/** Whom to ask for a host of a rule, and the Host to say; `undefined` when the rule names no single host. */
export function whomToAsk(url: AskedUrl, ruleHost: string): { backend: BackendRef; authority: string } | undefined {
  const host = url.host === "$host" ? ruleHost : url.host;
  if (host.startsWith("*") || leadsInside(host)) return undefined;
  const isStandard = url.port === (url.scheme === "https" ? 443 : 80);
  const backend = fixedBackend({ scheme: url.scheme, host, port: url.port });
  return { backend, authority: isStandard ? host : `${host}:${url.port}` };
}
