import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { run } from "../run.ts";
import { applyTopology } from "./apply.ts";
import { compileTopology, type TopologyOptions, type TopologyPlan } from "./plan.ts";

/** How often routes are looked at; flannel takes as long (`pkg/backend/route_network.go`). */
const checkMs = 10_000;

/** One look costs one program of ours: the rest are children of a small shell. */
const showRoutes = 'ip -4 route show; for netns; do echo "--"; nsenter --net="$netns" ip -4 route show; done';
const showBoth = `show='ip -4 route show; ip -6 route show'; sh -c "$show"; for netns; do echo "--"; nsenter --net="$netns" sh -c "$show"; done`;

/**
 * Keeps the nodes' routes: a link that was taken down loses them, and taking it up again does not bring them back.
 * Links that are down stay down, as somebody's will. Returns how to stop it; nothing is changed once that has resolved.
 */
export function watchTopology(
  options: TopologyOptions,
  { clock, log }: { clock: Clock; log: Log },
): () => Promise<void> {
  const plan = compileTopology(options);
  let isStopped = false;
  let running: Promise<void> = Promise.resolve();
  let cancel = clock.after(checkMs, check);

  function check(): void {
    running = repairRoutes(plan, log)
      .then(() => {})
      .catch((error: unknown) => log.warn({ error: String(error) }, "the nodes' routes could not be put right"))
      .finally(() => {
        if (!isStopped) cancel = clock.after(checkMs, check);
      });
  }

  return async () => {
    isStopped = true;
    cancel();
    await running;
  };
}

/** Looks once, and makes the network anew when routes are missing. Gives what was missing. */
export async function repairRoutes(plan: TopologyPlan, log: Log): Promise<string[]> {
  const places = [
    { device: plan.uplink.device, lines: plan.host },
    ...plan.nodeScripts.map(({ lines }) => ({ device: "eth0", lines })),
  ];
  const netns = plan.nodeScripts.map((script) => script.netns);
  const { stdout } = await run("sh", ["-c", plan.ipv6 === undefined ? showRoutes : showBoth, "sh", ...netns]);
  const tables = stdout.split("--\n");
  const missing = places.flatMap(({ device, lines }, index) => missingRoutes(lines, tables[index] ?? "", device));
  if (missing.length > 0) {
    await applyTopology(plan);
    log.warn({ missing }, "routes of the nodes were gone and are made again");
  }
  return missing;
}

/**
 * The routes that the plan's lines ask for and the table, as `ip route show` prints it, has not. None when the device
 * is down or gone. Pure.
 */
export function missingRoutes(lines: readonly string[], table: string, device: string): string[] {
  if (!table.includes(` dev ${device} proto kernel `)) return [];
  const there = table.split("\n");
  return lines.flatMap((line) => {
    const wanted = /^route replace ((?:unreachable )?\S+(?: via \S+)?)/.exec(line)?.[1]?.replace(/(\.\d+)\/32/, "$1");
    return wanted === undefined || there.some((route) => route.startsWith(`${wanted} `)) ? [] : [wanted];
  });
}
