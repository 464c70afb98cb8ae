import { spawnSync } from "node:child_process";

/**
 * Runs a command in network, mount and process namespaces of its own: nothing it makes can reach the machine's own
 * interface or outlive it. Tests that need root and the kernel run in here. Answers the exit code; 1 when the command was
 * ended because it took longer than the limit. `node scripts/sandbox.ts COMMAND ARG...`
 */
export function runInSandbox(command: readonly string[], limitSeconds?: number): number {
  const inside = [
    "mount -t tmpfs tmpfs /run",
    "ip link set lo up",
    // The shell stays as process 1 and reaps whatever the command leaves behind.
    '"$@" </dev/null & wait $!',
  ].join(" && ");
  const flags = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"];
  const { status } = spawnSync("unshare", [...flags, "sh", "-c", inside, "sh", ...command], {
    stdio: "inherit",
    ...(limitSeconds === undefined ? {} : { timeout: limitSeconds * 1000, killSignal: "SIGKILL" }),
  });
  return status ?? 1;
}

/** Whether this process may make such namespaces. */
export function canSandbox(): boolean {
  return process.getuid?.() === 0 && spawnSync("unshare", ["--net", "--mount", "true"]).status === 0;
}

if (import.meta.main) process.exitCode = runInSandbox(process.argv.slice(2));
