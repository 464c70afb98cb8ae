import { existsSync } from "node:fs";
import { findProgram } from "./packages.ts";

/** How this machine resolves names, as far as it matters for asking it to ask cluster DNS. */
export type HostResolver = "systemd-resolved" | "dnsmasq" | "resolv.conf";

/** Who answers names on this machine now. */
export function hostResolver(): HostResolver {
  // The service makes this folder, and removes it when it ends (systemd-resolved.service(8)).
  if (existsSync("/run/systemd/resolve/resolv.conf") && findProgram("resolvectl") !== undefined)
    return "systemd-resolved";
  if (existsSync("/etc/dnsmasq.d") && findProgram("dnsmasq") !== undefined) return "dnsmasq";
  return "resolv.conf";
}

/**
 * The line that makes this machine ask cluster DNS for names of the cluster; for a person to type. With systemd-resolved
 * it belongs to the link between this machine and the nodes and is gone with it. The others stay until they are taken
 * back, which the text says. Fairlead itself changes nothing of how this machine resolves names.
 */
export function renderHostLine(
  resolver: HostResolver,
  { dns, clusterDomain, uplink }: { dns: string; clusterDomain: string; uplink: string },
): string {
  switch (resolver) {
    case "systemd-resolved":
      return `resolvectl dns ${uplink} ${dns} && resolvectl domain ${uplink} '~${clusterDomain}'`;
    case "dnsmasq":
      return `echo server=/${clusterDomain}/${dns} > /etc/dnsmasq.d/fairlead.conf && systemctl restart dnsmasq   (stays: remove the file after fairlead down)`;
    case "resolv.conf":
      return `sed -i '1i nameserver ${dns}' /etc/resolv.conf   (stays: take the line out before fairlead down)`;
  }
}
