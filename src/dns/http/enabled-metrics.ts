import type { HttpSettings } from "../config/contract.ts";
import type { DnsSettings } from "../settings.ts";

/** Which of CoreDNS's plugins what is in use stands for, and the number of names that the configuration gives. */
export function renderEnabledMetrics(settings: DnsSettings, http: HttpSettings, reloads: boolean): string {
  const { cache, hosts, rewrite = [], queryLog = "off" } = settings;
  const enabled: Readonly<Record<string, boolean>> = {
    cache: cache?.capacity !== 0,
    errors: true,
    forward: true,
    health: http.health !== undefined,
    hosts: hosts !== undefined,
    kubernetes: true,
    loadbalance: true,
    log: queryLog !== "off",
    loop: true,
    prometheus: http.metrics !== undefined,
    ready: http.ready !== undefined,
    reload: reloads,
    rewrite: rewrite.length > 0,
  };
  const plugin = "coredns_plugin_enabled";
  const entries = "coredns_hosts_entries";
  return [
    `# HELP ${plugin} The parts that are in use.`,
    `# TYPE ${plugin} gauge`,
    ...Object.entries(enabled)
      .filter(([, isEnabled]) => isEnabled)
      .map(([name]) => `${plugin}{server="dns://:53",zone=".",view="",name="${name}"} 1`),
    `# HELP ${entries} Names that the configuration gives addresses.`,
    `# TYPE ${entries} gauge`,
    `${entries} ${(hosts?.entries ?? []).reduce((sum, { names }) => sum + names.length, 0)}`,
    "",
  ].join("\n");
}
