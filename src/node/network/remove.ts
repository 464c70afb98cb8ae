import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { run } from "../run.ts";
import { dropStaleNames, namespacesWith } from "./apply.ts";
import { netnsPrefix, routeProtocol, uplinkDevice, uplinkWall } from "./plan.ts";

/**
 * Removes everything the network of this cluster is made of, also when only parts of it are left. Pods should be gone
 * before: a namespace lives on while a process is in it.
 */
export async function removeTopology({ clusterId }: { clusterId: string }): Promise<void> {
  const prefix = netnsPrefix(clusterId);
  dropStaleNames(prefix);
  const names = namespacesWith(prefix).real;
  const walls = readWalls();
  const device = uplinkDevice(clusterId);
  const lines = [
    // The link first: its routes go with it. The walls last, so that nothing ever leaves the machine in between.
    ...(readLinks().includes(device) ? [`link del ${device}`] : []),
    ...names.map((name) => `netns del ${name}`),
    ...(readRules(4).includes(device) ? [uplinkWall(device, "del")] : []),
    ...(otherUplinks(device) ? [] : walls.map((wall) => `route del unreachable ${wall} proto ${routeProtocol}`)),
  ];
  if (lines.length > 0) await run("ip", ["-force", "-batch", "-"], { input: `${lines.join("\n")}\n` });
  if (readRules(6).includes(device)) await run("ip", ["-6", ...uplinkWall(device, "del").split(" ")]);
}

/** What of the cluster's network is in the kernel now, in words for a person; empty when nothing is left. */
export function inspectLeftovers({ clusterId }: { clusterId: string }): string[] {
  const prefix = netnsPrefix(clusterId);
  const { real, stale } = namespacesWith(prefix);
  const device = uplinkDevice(clusterId);
  return [
    ...real.map((name) => `network namespace ${name}`),
    ...stale.map((name) => `dead network namespace file ${name}`),
    ...(readLinks().includes(device) ? [`network device ${device}`] : []),
    ...(families.some((family) => readRules(family).includes(device)) ? [`routing rule for ${device}`] : []),
    ...(otherUplinks(device) ? [] : readWalls().map((wall) => `route unreachable ${wall}`)),
  ];
}

/** Walls carry no cluster id: they belong to whichever clusters there are, and go with the last. */
function otherUplinks(own: string): boolean {
  return readLinks().some((name) => name !== own && /^fl[a-z0-9]{1,6}up$/.test(name));
}

/** `/proc` and not `/sys`, whose view is that of the namespace it was mounted in. */
function readLinks(): string[] {
  const lines = readFileSync("/proc/self/net/dev", "utf8").split("\n").slice(2);
  return lines.map((line) => line.slice(0, line.indexOf(":")).trim());
}

const families = [4, 6] as const;

/** The devices whose packets a routing rule singles out. */
function readRules(family: 4 | 6): string[] {
  const { stdout } = spawnSync("ip", [`-${family}`, "-j", "rule", "show"], { encoding: "utf8" });
  const rules = JSON.parse(stdout?.trim() || "[]") as { iif?: string }[];
  return rules.flatMap(({ iif }) => (iif === undefined ? [] : [iif]));
}

function readWalls(): string[] {
  return families.flatMap((family) => readWallsOf(family));
}

function readWallsOf(family: 4 | 6): string[] {
  const args = [`-${family}`, "-j", "-N", "route", "show", "table", "main", "proto", String(routeProtocol)];
  const { stdout } = spawnSync("ip", args, { encoding: "utf8" });
  const routes = JSON.parse(stdout?.trim() || "[]") as { dst: string; dev?: string; type?: string; metric?: number }[];
  return routes
    .filter(
      ({ dev, gateway }: { dev?: string; gateway?: string }) =>
        gateway === undefined && (dev === undefined || dev === "lo"),
    )
    .map(({ dst, metric }) => (metric === undefined ? dst : `${dst} metric ${metric}`));
}
