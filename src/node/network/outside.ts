import { run } from "../run.ts";
import { applyTopology } from "./apply.ts";
import { findConflicts } from "./conflict.ts";
import { compileTopology, type TopologyOptions, type TopologyPlan } from "./plan.ts";
import { TopologyConflict } from "./topology.ts";

/**
 * Gives the machine and the nodes a way to other outside addresses than before, while the network stands. Rejects with
 * `TopologyConflict`, with nothing changed, when routes of somebody else are in the way, and with `RangeError` for
 * ranges that overlap the cluster's own.
 */
export async function changeOutside(before: TopologyOptions, after: TopologyOptions): Promise<void> {
  const [old, next] = [compileTopology(before), compileTopology(after)];
  const conflicts = await findConflicts(next);
  if (conflicts.length > 0) throw new TopologyConflict(conflicts);
  await Promise.all(
    compileRemovals(old, next).map(async ({ netns, lines }) => {
      const inside = netns === undefined ? [] : ["nsenter", `--net=${netns}`];
      const [program, ...args] = [...inside, "ip", "-force", "-batch", "-"] as const;
      await run(program, args, { input: `${lines.join("\n")}\n` });
    }),
  );
  await applyTopology(next);
}

/** The routes of one plan that another has not, as lines that delete them, by namespace. Pure. */
export function compileRemovals(
  before: TopologyPlan,
  after: TopologyPlan,
): { readonly netns?: string; readonly lines: readonly string[] }[] {
  const gone = (old: readonly string[], next: readonly string[]) =>
    old.flatMap((line) =>
      line.startsWith("route replace ") && !next.includes(line) ? [line.replace("route replace", "route del")] : [],
    );
  return [
    { lines: gone(before.host, after.host) },
    ...before.nodeScripts.map(({ netns, lines }, index) => ({
      netns,
      lines: gone(lines, after.nodeScripts[index]?.lines ?? []),
    })),
  ].filter(({ lines }) => lines.length > 0);
}
