import { existsSync, readdirSync, rmSync } from "node:fs";
import { delay, systemClock } from "#base/clock.ts";
import { inspectLeftovers, removeTopology, type TopologyOptions } from "#node/network/topology.ts";
import { inspectPodLeftovers, removeAllPods } from "#node/runtime/process/clear.ts";
import { undoHostLine } from "./host-resolver.ts";
import { checkOptions, type UpOptions } from "./options.ts";
import { RoleError, step, type Report } from "./report.ts";
import { clusterId, dataPaths, isAlive, readState, writeState, type ProcessId, type RunState } from "./state.ts";

const stopWithinMs = 60_000;
const killWithinMs = 5_000;

/**
 * Stops the cluster of a data folder, whether its process runs or was killed: pods, rules and namespaces go. With
 * `purge` the folder goes too, and what could be left is looked for. False when something is left.
 */
export async function runDownRole(dataDir: string, { purge }: { purge: boolean }, report: Report): Promise<boolean> {
  const paths = dataPaths(dataDir);
  const state = readState(paths);
  if (state === undefined) {
    if (!existsSync(paths.root)) {
      report({ type: "notice", text: `there is no cluster in ${dataDir}` });
      return true;
    }
    if (!purge)
      throw new RoleError(`${dataDir} holds no cluster that was ever started`, "remove it with: fairlead down --purge");
    if (!looksLikeOurs(paths.root)) {
      throw new RoleError(
        `${dataDir} holds files that are not Fairlead's`,
        "name the cluster's own folder with --data-dir",
      );
    }
  }
  if (state !== undefined && state.phase !== "stopped" && isAlive(state.process)) await stopProcess(state, report);
  const id = clusterId(paths.root);
  if (state?.withNodes === true || process.getuid?.() === 0) {
    await step(report, "pods", "Pods stopped, their mounts and cgroups removed", () => removeAllPods(paths.nodes, id));
    await step(report, "network", "Node namespaces, rules and routes removed", () =>
      removeTopology(topologyOf(id, state)),
    );
    tellUndone(state, report);
  }
  if (!purge) {
    if (state !== undefined) writeState(paths, { ...state, phase: "stopped" });
    const where = state?.options.etcd === undefined ? dataDir : "etcd";
    report({ type: "notice", text: `the objects stay in ${where}; fairlead up goes on with them` });
    return true;
  }
  if (state?.options.etcd !== undefined) {
    const servers = state.options.etcd.servers.join(",");
    report({
      type: "notice",
      text: `the objects stay in etcd; etcdctl --endpoints ${servers} del --prefix /registry/`,
    });
  }
  await step(report, "purge", `Data removed from ${dataDir}`, () =>
    rmSync(paths.root, { recursive: true, force: true }),
  );
  return step(report, "check", "Nothing is left", (say) => {
    const left = [
      ...inspectPodLeftovers(paths.nodes, id),
      ...inspectLeftovers(topologyOf(id, state)),
      ...(existsSync(paths.root) ? [`the folder ${paths.root}`] : []),
    ];
    if (left.length === 0) say("Checked: no process, mount, cgroup, namespace, link, route, rule or file is left");
    else say(`left behind: ${left.join(", ")}`);
    return left.length === 0;
  });
}

function tellUndone(state: RunState | undefined, report: Report): void {
  const checked = state === undefined ? undefined : checkOptions(state.options);
  if (state === undefined || checked === undefined || !("plan" in checked)) return;
  const at = { dns: checked.plan.dnsServiceAddress, clusterDomain: state.options.clusterDomain };
  for (const text of undoHostLine(at)) report({ type: "notice", text });
}

function topologyOf(id: string, state: RunState | undefined): TopologyOptions {
  const options: UpOptions | undefined = state?.options;
  if (options === undefined || "problems" in checkOptions(options)) return { clusterId: id };
  return {
    clusterId: id,
    nodeCount: options.nodes,
    nodeSubnet: options.nodeCidr,
    podCidr: options.podCidr,
    serviceCidr: options.serviceCidr,
  };
}

/** Only a folder with nothing but what a cluster writes may be removed without a state file that says so. */
function looksLikeOurs(root: string): boolean {
  const known = new Set(["pki", "kubeconfig", "nodes", "agent.sock", "state.json.next", "lock"]);
  return readdirSync(root).every((name) => known.has(name) || /^(store\.db|(server|agent)\.log)/.test(name));
}

async function endsWithin(ms: number, running: ProcessId): Promise<boolean> {
  const deadline = systemClock.monotonic() + ms;
  while (isAlive(running)) {
    if (systemClock.monotonic() > deadline) return false;
    await delay(systemClock, 20);
  }
  return true;
}

async function stopProcess({ process: running }: RunState, report: Report): Promise<void> {
  await step(report, "stop", `Process ${running.pid} stopped`, async () => {
    try {
      process.kill(running.pid, "SIGTERM");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EPERM") {
        throw new RoleError(
          `process ${running.pid} belongs to another user`,
          "run the command as that user, or as root",
        );
      }
      return;
    }
    if (await endsWithin(stopWithinMs, running)) return;
    process.kill(running.pid, "SIGKILL");
    if (await endsWithin(killWithinMs, running)) return;
    throw new RoleError(
      `process ${running.pid} does not end, not even by SIGKILL`,
      "see what holds it: cat /proc/PID/stack",
    );
  });
}
