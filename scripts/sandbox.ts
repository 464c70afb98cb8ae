import { spawn, spawnSync } from "node:child_process";

/**
 * Runs a command in network, mount and process namespaces of its own: nothing it makes can reach the machine's own
 * interface or outlive it. Tests that need root and the kernel run in here. Answers the exit code; 1 when the command was
 * ended because it took longer than the limit. `node scripts/sandbox.ts COMMAND ARG...`
 */
export function runInSandbox(command: readonly string[]): Promise<number> {
  return runToEnd(sandboxed(command));
}

/** The command line that runs another one in namespaces of its own. */
export function sandboxed(command: readonly string[]): readonly string[] {
  const inside = [
    "mount -t tmpfs tmpfs /run",
    "ip link set lo up",
    // The shell stays as process 1 and reaps whatever the command leaves behind.
    '"$@" </dev/null & wait $!',
  ].join(" && ");
  const flags = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"];
  return ["unshare", ...flags, "sh", "-c", inside, "sh", ...command];
}

export interface RunOptions {
  readonly limitSeconds?: number;
  /** Gets what the command prints, both streams in their order; without it they go where this program's go. */
  readonly print?: (text: string) => void;
}

/** Answers the exit code; 1 when the command did not start, or was ended because it took longer than the limit. */
export function runToEnd(command: readonly string[], { limitSeconds, print }: RunOptions = {}): Promise<number> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    stdio: print === undefined ? "inherit" : ["ignore", "pipe", "pipe"],
    ...(limitSeconds === undefined ? {} : { timeout: limitSeconds * 1000, killSignal: "SIGKILL" }),
  });
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", (text) => print?.(text));
  return new Promise((resolve) => {
    child.once("error", (error) => {
      console.error(String(error));
      resolve(1);
    });
    // With "close" all has been read that it printed.
    child.once("close", (code) => resolve(code ?? 1));
  });
}

/** Whether this process may make such namespaces. */
export function canSandbox(): boolean {
  return process.getuid?.() === 0 && spawnSync("unshare", ["--net", "--mount", "true"]).status === 0;
}

if (import.meta.main) process.exitCode = await runInSandbox(process.argv.slice(2));
