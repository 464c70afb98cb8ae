import type { ClientAuth, Filter, RetryRules, RouteEntry } from "#dataplane/table.ts";
import type { CompiledIngresses } from "#routing/l7/table.ts";

/** The table as lines; what every route has by default is left out. */
export function renderTable(compiled: CompiledIngresses): string {
  const lines: string[] = [];
  for (const [name, { routes, certificate, passthrough, clientAuth, ciphers }] of compiled.hosts) {
    const passes = passthrough === undefined ? "" : ` passthrough=${passthrough.backend}`;
    const speaks = ciphers === undefined ? "" : ` ciphers=${ciphers}`;
    const shows = clientAuth === undefined ? "" : ` clients=${renderClients(clientAuth)}`;
    lines.push(
      `host ${name}${certificate === undefined ? "" : ` certificate=${certificate}`}${passes}${shows}${speaks}`,
    );
    for (const route of routes) lines.push(`  ${renderRoute(route)}`);
  }
  for (const { id, endpoints, protocol, balance, serverName: _, ...care } of compiled.backends.values()) {
    const marks = `${protocol === "http" ? "" : ` ${protocol}`}${balance === "round-robin" ? "" : ` ${balance}`}`;
    const addresses = endpoints.map(({ address, port }) => ` ${address}:${port}`).join("");
    const more = Object.entries(care).filter(([, value]) => value !== undefined);
    const treated = more.map(([name, value]) => ` ${name}=${JSON.stringify(value)}`).join("");
    lines.push(`backend ${id}${marks}${treated} =${addresses === "" ? " none" : addresses}`);
  }
  for (const id of compiled.certificates.keys()) lines.push(`certificate ${id}`);
  for (const { at, code } of compiled.problems) {
    lines.push(`problem ${at.namespace}/${at.name} ${at.field ?? ""} ${code}`);
  }
  for (const [id, { losers = [] }] of compiled.because) {
    for (const { namespace, name, field } of losers) lines.push(`loser ${namespace}/${name} ${field ?? ""} to ${id}`);
  }
  for (const [key, why] of compiled.ignored) lines.push(`ignored ${key}: ${why}`);
  return lines.join("\n");
}

function renderClients({ verify, depth, subject, errorPage, passCertificate, crl }: ClientAuth): string {
  const parts = [
    verify,
    depth === 1 ? "" : `depth:${depth}`,
    subject ?? "",
    errorPage ?? "",
    passCertificate ? "passed" : "",
  ];
  return [...parts, crl === undefined ? "" : "crl"].filter((part) => part !== "").join(",");
}

function renderRoute({ match, filters, target, timeouts, maxBodyBytes, retry, gather }: RouteEntry): string {
  const path = match.type === "regex" ? match.source : match.path;
  const { connectMs, readMs, sendMs } = timeouts;
  const times = [connectMs, readMs, sendMs].map((ms) => ms / 1000).join("/");
  return [
    match.type,
    path,
    ...filters.filter((filter) => !isUsual(filter)).map(renderFilter),
    ...(times === "5/60/60" ? [] : [`timeouts=${times}`]),
    ...(maxBodyBytes === 1024 * 1024 ? [] : [`body=${maxBodyBytes}`]),
    ...(retry === undefined ? [] : [renderRetry(retry)]),
    ...(gather?.memoryBytes === 1024 * 1024 || target.type === "answer"
      ? []
      : [gather === undefined ? "streams" : `memory=${gather.memoryBytes}`]),
    "->",
    target.type === "backend" ? target.backend : `${target.status} ${target.reason}`,
  ].join(" ");
}

function renderRetry({ tries, on, withinMs, keepBytes }: RetryRules): string {
  return `retry=${[tries, on.join("+") || "never", withinMs / 1000, keepBytes].join("/")}`;
}

function renderFilter(filter: Filter): string {
  if (filter.type === "https-redirect") {
    const port = filter.port === undefined ? "" : ` port=${filter.port}`;
    return `[https ${filter.status}${port}${filter.stripSlash ? " strip" : ""}]`;
  }
  if (filter.type === "rewrite") return `[rewrite ${filter.to}]`;
  if (filter.type === "redirect") {
    return `[redirect ${filter.status} ${filter.location}${filter.keepQuery ? " +query" : ""}]`;
  }
  if (filter.type !== "request-headers" && filter.type !== "response-headers") {
    const { type, ...rest } = filter;
    const given = Object.entries(rest).filter(([, value]) => value !== undefined);
    const parts = given.map(([name, value]) => `${name}=${plain(value)}`);
    return `[${[type, ...parts].join(" ")}]`;
  }
  return `[${filter.type} ${filter.set.map(([name, value]) => `${name}=${value ?? ""}`).join(" ")}]`;
}

/** What every host with TLS has. */
function isUsual(filter: Filter): boolean {
  if (filter.type !== "response-headers" || filter.secureOnly !== true) return false;
  return filter.set.every(([name, value]) => `${name}: ${value}` === usualTransportSecurity);
}

const usualTransportSecurity = "Strict-Transport-Security: max-age=31536000; includeSubDomains";

/** Lists joined by commas, text as it is, the rest as JSON. */
function plain(value: unknown): string {
  if (Array.isArray(value) && value.every((item) => typeof item === "string" || Array.isArray(item)))
    return value.map(plain).join(",");
  return typeof value === "string" ? value : JSON.stringify(value);
}
