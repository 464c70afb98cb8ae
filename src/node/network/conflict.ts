import { cidrsOverlap, formatCidr, parseCidr } from "#base/cidr.ts";
import { run } from "../run.ts";
import { routeProtocol, type TopologyPlan } from "./plan.ts";

interface Route {
  dst: string;
  type?: string;
  dev?: string;
  gateway?: string;
  protocol?: string;
  table?: string;
}

/**
 * What of somebody else's stands where this cluster wants to be: routes of the machine that overlap its ranges, one
 * sentence each. Default routes are no conflict, and Fairlead's own are told by their device or protocol number.
 */
export async function findConflicts(plan: TopologyPlan): Promise<string[]> {
  const routes: Route[] = [];
  for (const family of plan.ipv6 === undefined ? ["-4"] : ["-4", "-6"]) {
    const { code, stdout, stderr } = await run("ip", [family, "-j", "-N", "route", "show", "table", "main"]);
    if (code !== 0) throw new Error(`the machine's routes cannot be read: ${stderr.trim()}`);
    routes.push(...(JSON.parse(stdout === "" ? "[]" : stdout) as Route[]));
  }
  return compileConflicts(plan, routes);
}

export function compileConflicts(plan: TopologyPlan, routes: readonly Route[]): string[] {
  const wanted = [
    ["pod CIDR", plan.podCidr],
    ["service CIDR", plan.serviceCidr],
    ["node subnet", plan.nodeSubnet],
    ...(plan.ipv6 === undefined
      ? []
      : ([
          ["pod CIDR", formatCidr(plan.ipv6.pod)],
          ["service CIDR", formatCidr(plan.ipv6.service)],
          ["node subnet", formatCidr(plan.ipv6.node)],
        ] as const)),
    ...plan.outside.map((range) => ["range of outside addresses", range] as const),
  ] as const;
  const conflicts = new Map<string, string>();
  for (const route of routes) {
    if (route.dst === "default" || route.dev === plan.uplink.device) continue;
    const isWall = route.dev === undefined || route.dev === "lo";
    if (isWall && route.protocol === String(routeProtocol)) continue;
    const range = parseCidr(route.dst.includes("/") ? route.dst : `${route.dst}/${route.dst.includes(":") ? 128 : 32}`);
    if (range === undefined) continue;
    for (const [name, text] of wanted) {
      const own = parseCidr(text);
      if (own === undefined || !cidrsOverlap(own, range)) continue;
      const other = /^fl([a-z0-9]{1,6})up$/.exec(route.dev ?? "");
      const owner = other === null ? `device ${route.dev ?? "none"}` : `the Fairlead cluster "${other[1]}"`;
      const sentence = `the ${name} ${text} overlaps the route ${route.dst} of ${owner}: choose another range or remove it`;
      if (!conflicts.has(`${name} ${owner}`)) conflicts.set(`${name} ${owner}`, sentence);
    }
  }
  return [...conflicts.values()];
}
