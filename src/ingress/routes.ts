import type { RouteEntry } from "#dataplane/table.ts";
import type { CompiledIngresses } from "#routing/l7/table.ts";
import type { RouteRow } from "./running.ts";

/** The tables as one row a route, by host and in order of precedence. */
export function listRoutes(compiled: CompiledIngresses): RouteRow[] {
  const rows: RouteRow[] = [];
  for (const [host, entry] of compiled.hosts) {
    const tls = entry.certificate ?? (compiled.because.has(`tls:${host}`) ? "default" : undefined);
    for (const route of entry.routes) {
      const { target, match } = route;
      const backend = target.type === "backend" ? compiled.backends.get(target.backend) : undefined;
      rows.push({
        id: route.id,
        host,
        path: match.type === "regex" ? match.source : match.path,
        match: match.type,
        backend: target.type === "backend" ? target.backend : answerOf(route),
        endpoints: backend?.endpoints.length ?? 0,
        ...(tls === undefined ? {} : { tls }),
      });
    }
  }
  return rows;
}

function answerOf({ filters, target }: RouteEntry): string {
  const redirect = filters.find(({ type }) => type === "redirect");
  if (redirect?.type === "redirect") return `${redirect.status} ${redirect.location}`;
  return target.type === "answer" ? `${target.status} ${target.reason}` : target.backend;
}
