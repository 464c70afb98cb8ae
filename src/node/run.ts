import { spawn } from "node:child_process";

export interface RunResult {
  /** Exit code; 128 + n when signal n ended it, 127 when it could not be started. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  input?: string;
  /** Milliseconds after which the program is killed; none by default. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Bytes kept of each output; what comes after is dropped. 1 MiB by default. */
  limitBytes?: number;
  env?: Record<string, string>;
}

/**
 * Runs a program to its end with an argument list, never a shell text. Never rejects: a program that cannot be started
 * is a result with code 127 and the reason in `stderr`.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { input, timeoutMs, signal, limitBytes = 1 << 20, env } = options;
  return new Promise((resolve) => {
    let child: ReturnType<typeof spawn>;
    try {
      child = spawn(command, args, {
        stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
        ...(timeoutMs === undefined ? {} : { timeout: timeoutMs, killSignal: "SIGKILL" }),
        ...(env === undefined ? {} : { env }),
      });
    } catch (error) {
      // An argument no program can get: one that holds a zero byte, or too many of them.
      resolve({ code: 127, stdout: "", stderr: (error as Error).message });
      return;
    }
    const outputs = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.setEncoding("utf8").on("data", (text: string) => {
        if (outputs[name].length < limitBytes) outputs[name] += text;
      });
    }
    const kill = () => child.kill("SIGKILL");
    signal?.addEventListener("abort", kill, { once: true });
    child.on("error", (error) => resolve({ code: 127, stdout: "", stderr: error.message }));
    child.on("close", (code, killedBy) => {
      signal?.removeEventListener("abort", kill);
      resolve({ code: code ?? 128 + (killedBy === "SIGTERM" ? 15 : 9), ...outputs });
    });
    if (input !== undefined) {
      // A program that ends before it has read its input is told by its exit code.
      child.stdin?.on("error", () => {});
      child.stdin?.end(input);
    }
  });
}
