import { parseDomain } from "../addresses.ts";
import type { Directive } from "../corefile-tree.ts";
import { parseCount, type PluginScope } from "../draft.ts";
import { eachOption } from "./options.ts";

/**
 * `kubernetes [ZONE...] { ... }`: the first zone that is not a reverse one is the cluster domain. Reverse names are
 * always answered, and passed on when they are unknown, as kubeadm's `fallthrough in-addr.arpa ip6.arpa` has it.
 */
export function readKubernetes(directive: Directive, scope: PluginScope): void {
  const { draft, error, ignored, zones } = scope;
  const { settings } = draft;
  const named = (directive.args.length > 0 ? directive.args : zones).flatMap((zone) => {
    const name = parseDomain(zone);
    if (name === undefined) error(directive.line, `kubernetes: ${zone} is not a domain name`);
    return name === undefined || name === "." || isReverse(name) ? [] : [name];
  });
  const [clusterDomain, ...more] = named;
  if (clusterDomain === undefined) error(directive.line, "kubernetes needs the cluster domain");
  else draft.clusterDomain = clusterDomain;
  if (more.length > 0) settings.zones = [...(settings.zones ?? []), ...more];
  eachOption(directive, scope, {
    pods({ args, line }) {
      const [mode] = args;
      if (mode === "insecure" || mode === "verified" || mode === "disabled") settings.pods = mode;
      else error(line, `pods must be insecure, verified or disabled, not ${mode ?? "nothing"}`);
    },
    ttl({ args, line }) {
      const ttl = parseCount(args[0], 0, 3600);
      if (ttl === undefined) error(line, "ttl must be between 0 and 3600 seconds");
      else settings.ttlSeconds = ttl;
    },
    namespaces: ({ args }) => void (settings.namespaces = [...(settings.namespaces ?? []), ...args]),
    endpoint_pod_names: () => void (settings.endpointPodNames = true),
    ignore({ args, line }) {
      if (args[0] === "empty_service") settings.ignoreEmptyService = true;
      else error(line, `ignore ${args.join(" ")}: only empty_service can be ignored`);
    },
    fallthrough({ args, line }) {
      const own = args.filter((zone) => !isReverse(parseDomain(zone) ?? ""));
      if (args.length === 0 || own.length > 0)
        ignored(line, "fallthrough: names of the cluster zone are never asked elsewhere");
    },
    // Requests are tried again until they are answered; until then the zone answers SERVFAIL.
    startup_timeout: () => {},
  });
  // Without `pods` upstream answers no names of pods.
  settings.pods ??= "disabled";
  // Upstream's own default is 5; kubeadm writes 30.
  settings.ttlSeconds ??= 5;
}

function isReverse(zone: string): boolean {
  return /(^|\.)(in-addr|ip6)\.arpa$/.test(zone);
}
