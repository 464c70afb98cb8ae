import { spawn } from "node:child_process";

export interface CommandResult {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The argument vector that runs a program inside a network namespace, or as it is without one. */
export function inNamespace(netns: string | undefined, argv: readonly string[]): readonly string[] {
  return netns === undefined ? argv : ["nsenter", `--net=${netns}`, ...argv];
}

/** How programs are run; tests give one that runs none. */
export type RunCommand = (argv: readonly string[], input?: string, timeoutMs?: number) => Promise<CommandResult>;

/** Where programs are run: in a network namespace, and by what. */
export interface Place {
  readonly netns?: string;
  readonly run?: RunCommand;
}

/** `runCommand` on a node. */
export function runOn({ netns, run = runCommand }: Place, argv: readonly string[], input?: string) {
  return run(inNamespace(netns, argv), input);
}

/**
 * Runs a program to its end, without a shell. Resolves whatever its exit code; a program that cannot start has code 127,
 * one that was ended because it took too long has none and says so.
 */
export function runCommand(argv: readonly string[], input?: string, timeoutMs = 120_000): Promise<CommandResult> {
  const [program = "", ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(program, args, { timeout: timeoutMs, killSignal: "SIGKILL" });
    if (child.stdout === undefined) {
      // There was no file descriptor left for its pipes; the child says so in its error.
      child.on("error", (error) => resolve({ code: 127, stdout: "", stderr: String(error) }));
      return;
    }
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    // A program that ends before it has read its input closes the pipe; its exit code tells the rest.
    child.stdin.on("error", () => {});
    child.on("error", (error) => resolve({ code: 127, stdout: "", stderr: String(error) }));
    child.on("close", (code) => {
      if (child.killed) stderr.push(Buffer.from(`no end after ${timeoutMs / 1000} s`));
      resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
    });
    child.stdin.end(input ?? "");
  });
}
