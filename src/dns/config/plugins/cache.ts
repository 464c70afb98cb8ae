import { parseSpan } from "#base/span.ts";
import { parseDomain } from "../addresses.ts";
import type { Directive } from "../corefile-tree.ts";
import { parseCount, type PluginScope } from "../draft.ts";
import { eachOption } from "./options.ts";

/** `cache [TTL] [ZONE...] { ... }`. One cache serves all zones; names of the cluster are never kept. */
export function readCache(directive: Directive, scope: PluginScope): void {
  const { draft, error, ignored } = scope;
  const cache: { -readonly [K in keyof NonNullable<typeof draft.cache>]: NonNullable<typeof draft.cache>[K] } = {
    maxTtlSeconds: 3600,
    maxNegativeTtlSeconds: 1800,
  };
  const [first, ...rest] = directive.args;
  const ttl = parseCount(first, 1, 65_535);
  if (ttl !== undefined) cache.maxTtlSeconds = cache.maxNegativeTtlSeconds = ttl;
  const zones = first === undefined || ttl !== undefined ? rest : [first, ...rest];
  if (zones.length > 0) ignored(directive.line, `cache: zones (${zones.join(" ")}) have no effect, it serves all`);
  const store =
    (key: "maxTtlSeconds" | "maxNegativeTtlSeconds") =>
    ({ name, args, line }: Directive) => {
      const [capacity, most, least] = args.map((text) => parseCount(text, 0, 65_535));
      if (args.length === 0 || capacity === undefined || (args.length > 1 && most === undefined))
        return error(line, `${name} needs CAPACITY [TTL] [MINTTL] in whole numbers`);
      cache.capacity = Math.max(cache.capacity ?? 0, capacity);
      if (most !== undefined) cache[key] = most;
      if (args.length > 2 && least === undefined) error(line, `${name}: MINTTL must be a whole number`);
      if (least !== undefined) cache.minTtlSeconds = Math.max(cache.minTtlSeconds ?? 0, least);
    };
  eachOption(directive, scope, {
    success: store("maxTtlSeconds"),
    denial: store("maxNegativeTtlSeconds"),
    prefetch({ args, line }) {
      const hits = parseCount(args[0], 0, 1_000_000);
      const percent = parseCount(args[2]?.replace(/%$/, "") ?? "10", 10, 90);
      if (hits === undefined || percent === undefined)
        return error(line, "prefetch needs AMOUNT [DURATION] [PERCENTAGE%], 10% to 90%");
      if (hits > 0) cache.prefetch = { hits, percent };
      if (args[1] !== undefined) ignored(line, `the duration of prefetch (${args[1]}) has no effect here`);
    },
    serve_stale({ args, line }) {
      const span = parseSpan(args[0] ?? "1h");
      if (span === undefined) return error(line, "serve_stale needs a span of time, e.g. 1h");
      cache.serveStaleSeconds = Math.round(span / 1000);
      if (args[1] !== undefined && args[1] !== "verify")
        ignored(line, `serve_stale ${args[1]}: upstreams are asked first`);
    },
    disable({ args, line }) {
      // The cluster's own names are never kept: what kubeadm disables is disabled.
      const others = args.slice(1).filter((zone) => parseDomain(zone) !== draft.clusterDomain);
      if (args.length < 2) ignored(line, `disable ${args.join(" ")} for all zones: what is asked outside is kept`);
      else if (others.length > 0)
        ignored(line, `disable ${args[0]} of ${others.join(" ")}: what is asked outside is kept`);
    },
  });
  draft.cache = cache;
}
