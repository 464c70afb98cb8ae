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

/** Runs a program to its end, without a shell. Resolves whatever its exit code; a program that cannot start has code 127. */
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
      resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
    });
    child.stdin.end(input ?? "");
  });
}
