import { readFileSync } from "node:fs";
import { systemClock } from "#base/clock.ts";
import type { DnsConfig, HttpSettings } from "#dns/config/contract.ts";
import { followConfig, type FollowedFile } from "#api/config/follow-file.ts";
import { hasErrors, renderProblem } from "#api/config/problem.ts";
import { readConfigFile } from "#dns/config/read.ts";
import type { ListenAddress, RunningDns } from "#dns/contract.ts";
import { startDnsHttp, type RunningDnsHttp } from "#dns/http/start.ts";
import { RoleError, type Report } from "./report.ts";
import { version } from "./version.ts";

const resolvConfPath = "/etc/resolv.conf";
const readFile = (path: string) => readFileSync(path, "utf8");

/** Reads a configuration of cluster DNS; what has no effect is told. Throws `RoleError` with all that is wrong. */
export function loadDnsConfig(path: string, report: Report): DnsConfig {
  let config: DnsConfig;
  try {
    config = readConfigFile(path, readFile);
  } catch (error) {
    throw new RoleError(`the configuration cannot be read: ${(error as Error).message}`);
  }
  const { problems } = config;
  const errors = problems.filter(({ severity }) => severity === "error");
  if (hasErrors(problems))
    throw new RoleError(errors.map(renderProblem).join("\n"), "docs/reference/dns.md lists what can be said");
  for (const problem of problems) report({ type: "warning", text: renderProblem(problem) });
  return config;
}

/** Where this machine asks names; empty when it does not say. */
export function machineResolvConf(): string {
  try {
    return readFile(resolvConfPath);
  } catch {
    return "";
  }
}

/** Follows a configuration that is in use. What only a start can change is told, and the rest is taken. */
export function followDnsConfig(path: string, dns: RunningDns, config: DnsConfig, report: Report): FollowedFile {
  const fixed = ({ clusterDomain, listen, http }: DnsConfig) => JSON.stringify({ clusterDomain, listen, http });
  const before = fixed(config);
  return followConfig({
    readFile,
    read: (readFile) => readConfigFile(path, readFile),
    async changed(next) {
      await dns.configure(next.settings);
      dns.setUpstreams({ resolvConf: machineResolvConf() });
      report({ type: "notice", text: `${path} has changed and is in use` });
      if (fixed(next) !== before)
        report({
          type: "warning",
          text: `${path}: clusterDomain, listen and http change at the next start`,
        });
      for (const problem of next.problems) report({ type: "warning", text: renderProblem(problem) });
    },
    refused: (why) =>
      report({ type: "warning", text: `${path} has changed and cannot be used, the one before stays:\n${why}` }),
  });
}

/** Opens the HTTP ports and tells where they are. Throws `RoleError` when one cannot be had. */
export async function startConfiguredHttp(
  dns: RunningDns,
  settings: HttpSettings,
  reloads: FollowedFile | undefined,
  report: Report,
): Promise<RunningDnsHttp> {
  try {
    const http = await startDnsHttp({
      dns,
      settings,
      version,
      clock: systemClock,
      ...(reloads === undefined ? {} : { reloads }),
    });
    for (const part of ["health", "ready", "metrics"] as const) {
      const at = http.addresses[part];
      if (at !== undefined) report({ type: "notice", text: `/${part} at http://${renderAddress(at)}/${part}` });
    }
    return http;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "EADDRINUSE" && code !== "EACCES" && code !== "EADDRNOTAVAIL") throw error;
    throw new RoleError(`a port of http cannot be opened: ${message}`, "choose others: http in the configuration file");
  }
}

export function renderAddress({ address, port }: ListenAddress): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
