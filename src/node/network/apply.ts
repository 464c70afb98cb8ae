import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { run } from "../run.ts";
import { netnsFolder, netnsPrefix, type NamespaceScript, type TopologyPlan } from "./plan.ts";

/** Makes the plan true. Safe to repeat: each line either changes something or finds it done. */
export async function applyTopology(plan: TopologyPlan): Promise<void> {
  dropStaleNames(netnsPrefix(plan.clusterId));
  const gone = surplusNodes(plan).map((name) => `netns del ${name}`);
  await runHost([...gone, ...plan.host]);
  await runBatch6("this machine", [], plan.host6);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await runInside(plan.switch);
      await Promise.all(plan.nodeScripts.map((script) => runInside(script)));
      return;
    } catch (error) {
      // The cable of a namespace that was removed just now goes a moment later, and until then its name is taken.
      if (attempt === attemptLimit) throw error;
      await setTimeout(attemptPauseMs);
    }
  }
}

const attemptLimit = 5;
const attemptPauseMs = 50;

/** Names in `folder` that are namespaces: a plain file there is what a reboot or a crash left behind. */
export function namespacesWith(prefix: string): { real: string[]; stale: string[] } {
  const real: string[] = [];
  const stale: string[] = [];
  let names: string[] = [];
  let plain: number | undefined;
  try {
    names = readdirSync(netnsFolder).filter((name) => name.startsWith(prefix));
    plain = statSync(netnsFolder).dev;
  } catch {
    // No namespace was ever made here.
  }
  for (const name of names) {
    try {
      (statSync(join(netnsFolder, name)).dev === plain ? stale : real).push(name);
    } catch {
      // Removed since it was listed.
    }
  }
  return { real, stale };
}

export function dropStaleNames(prefix: string): void {
  for (const name of namespacesWith(prefix).stale) rmSync(join(netnsFolder, name), { force: true });
}

function surplusNodes({ clusterId, namespaces }: TopologyPlan): string[] {
  const nodeName = new RegExp(`^${netnsPrefix(clusterId)}node-\\d+$`);
  return namespacesWith(netnsPrefix(clusterId)).real.filter(
    (name) => nodeName.test(name) && !namespaces.includes(name),
  );
}

async function runHost(lines: readonly string[]): Promise<void> {
  const { stderr } = await run("ip", ["-force", "-batch", "-"], { input: `${lines.join("\n")}\n` });
  check("this machine", lines, stderr);
}

/** One program enters the namespace; what it reads is made of this folder's own words and checked numbers only. */
async function runInside({ netns, lines, lines6, sysctls }: NamespaceScript): Promise<void> {
  const settings = sysctls.map(
    ([path, value]) => `[ ! -e /proc/sys/net/${path} ] || echo ${value} > /proc/sys/net/${path}`,
  );
  // Some hold only from before a link is up, and some are of links that are not there before.
  const script = [...settings, "ip -force -batch - || true", ...settings].join("\n");
  const { stderr } = await run("nsenter", [`--net=${netns}`, "sh", "-ec", script], {
    input: `${lines.join("\n")}\n`,
  });
  check(netns, lines, stderr);
  await runBatch6(netns, ["nsenter", `--net=${netns}`], lines6);
}

async function runBatch6(where: string, inside: readonly string[], lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  const [program, ...args] = [...inside, "ip", "-6", "-force", "-batch", "-"];
  const { stderr } = await run(program, args, { input: `${lines.join("\n")}\n` });
  check(where, lines, stderr);
}

/** What `ip` says when the thing is there already. */
const alreadyDone = /File exists|already exists/;

function check(where: string, lines: readonly string[], stderr: string): void {
  const problems: string[] = [];
  let last = "";
  for (const line of stderr.split("\n")) {
    const failed = /^Command failed -:(\d+)/.exec(line);
    if (failed === null) {
      if (line.trim() !== "") last = line.trim();
      continue;
    }
    const command = lines[Number(failed[1]) - 1] ?? "";
    const mayExist = / add /.test(` ${command}`) && alreadyDone.test(last);
    if (!mayExist) problems.push(`ip ${command}: ${last}`);
    last = "";
  }
  // A line that is no `ip` command at all ends the batch without naming itself.
  if (last !== "") problems.push(last);
  if (problems.length > 0) throw new Error(`the network in ${where} could not be made: ${problems.join("; ")}`);
}
