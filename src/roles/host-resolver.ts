import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

const resolvConf = "/etc/resolv.conf";
const dnsmasqFile = "/etc/dnsmasq.d/fairlead.conf";

/** What our lines end with, so that they are known again and nobody else's are touched. */
const mark = "# fairlead";

/**
 * The line that makes this machine ask cluster DNS for names of the cluster; for a person to type. With systemd-resolved
 * it belongs to the link between this machine and the nodes and is gone with it; the others are undone by
 * `undoHostLine` when the cluster stops.
 */
export function renderHostLine(
  resolver: HostResolver,
  { dns, clusterDomain, uplink }: { dns: string; clusterDomain: string; uplink: string },
): string {
  switch (resolver) {
    case "systemd-resolved":
      return `resolvectl dns ${uplink} ${dns} && resolvectl domain ${uplink} '~${clusterDomain}'`;
    case "dnsmasq":
      return `echo '${dnsmasqLine(clusterDomain, dns)}' > ${dnsmasqFile} && systemctl restart dnsmasq`;
    case "resolv.conf":
      // In place, since the file is often a mount; the shell reads it before it opens it for writing.
      return `printf '%s\\n' '${resolvConfLine(dns)}' "$(cat ${resolvConf})" > ${resolvConf}`;
  }
}

const resolvConfLine = (dns: string) => `nameserver ${dns} ${mark}`;
const dnsmasqLine = (clusterDomain: string, dns: string) => `server=/${clusterDomain}/${dns} ${mark}`;

/** The text without our line, or `undefined` when it holds none. */
export function withoutLine(text: string, line: string): string | undefined {
  const lines = text.split("\n");
  return lines.includes(line) ? lines.filter((other) => other !== line).join("\n") : undefined;
}

/**
 * Takes back what the printed line did, if it was typed: a resolver that asks a cluster that has gone would fail for
 * every name. Answers what was done, for the person to read; nothing when there was nothing.
 */
export function undoHostLine({ dns, clusterDomain }: { dns: string; clusterDomain: string }): string[] {
  const done: string[] = [];
  const resolver = withoutLine(readText(resolvConf), resolvConfLine(dns));
  if (resolver !== undefined) {
    // In place: the file may be a mount or a link, and keeps its owner.
    writeFileSync(resolvConf, resolver);
    done.push(`${resolvConf} asks ${dns} no more`);
  }
  if (readText(dnsmasqFile).trim() === dnsmasqLine(clusterDomain, dns)) {
    rmSync(dnsmasqFile);
    done.push(`${dnsmasqFile} is removed; dnsmasq forgets it with: systemctl restart dnsmasq`);
  }
  return done;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
