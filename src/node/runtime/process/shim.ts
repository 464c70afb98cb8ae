import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { run } from "../../run.ts";
import { ContainerStartError, type ContainerConfig } from "../contract.ts";
import { bundleOf, type Layout } from "./layout.ts";
import { readText } from "./record.ts";

/** A container's log starts anew when it has grown to this. */
const logLimitBytes = 32 << 20;

/** Arguments for runc that every call shares. */
export function runcArguments(layout: Layout, ...args: string[]): string[] {
  return ["--root", layout.runcRoot, ...args];
}

/**
 * Mounts the container's root and makes the container ready under conmon, which stays with it whatever becomes of this
 * process: it keeps the log and writes the exit code. Rejects with `ContainerStartError` in runc's words.
 */
export function startShim(
  layout: Layout,
  id: string,
  config: ContainerConfig,
  programs: { conmon: string; runc: string },
): Promise<void> {
  const files = bundleOf(layout, id);
  const overlay = `lowerdir=/,upperdir=${files.upper},workdir=${files.work}`;
  const options: readonly string[][] = [
    ["--api-version", "1", "-c", id, "-u", id, "-n", id, "-r", programs.runc],
    ["-b", files.folder, "-p", files.pid, "-P", files.conmonPid, "-l", `k8s-file:${files.log}`],
    ["--exit-dir", layout.exits, "--persist-dir", files.folder, "--socket-dir-path", layout.sockets],
    ["--runtime-arg", "--root", "--runtime-arg", layout.runcRoot],
    ["--log-size-max", String(logLimitBytes)],
    config.stdin ? ["-i"] : [],
    config.stdin && !config.stdinOnce ? ["--leave-stdin-open"] : [],
    config.tty ? ["-t"] : [],
  ];
  const script = 'mount -t overlay overlay -o "$1" "$2" || exit 90; shift 2; exec "$@"';
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", script, "sh", overlay, files.root, programs.conmon, ...options.flat()], {
      stdio: ["ignore", "ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"] ?? "", _OCI_SYNCPIPE: "3" },
      cwd: layout.dataDir,
    });
    let answer = "";
    let problem = "";
    const pipe = child.stdio[3] as NodeJS.ReadableStream & { destroy(): void };
    const finish = (error?: ContainerStartError) => {
      pipe.destroy();
      child.stderr?.destroy();
      if (error === undefined) resolve();
      else reject(error);
    };
    child.on("error", (error) => finish(new ContainerStartError(error.message)));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (problem += text));
    pipe.setEncoding("utf8");
    pipe.on("error", () => {});
    pipe.on("end", () =>
      finish(new ContainerStartError(problem.trim() || "the container's shim ended without a word")),
    );
    pipe.on("data", (text: string) => {
      answer += text;
      if (!answer.includes("\n")) return;
      const { data, message } = readAnswer(answer);
      finish(data > 0 ? undefined : new ContainerStartError(plainWords(message ?? problem)));
    });
  });
}

function readAnswer(text: string): { data: number; message?: string } {
  try {
    return JSON.parse(text) as { data: number; message?: string };
  } catch {
    return { data: -1, message: text };
  }
}

/** runc's message without its logging frame. */
function plainWords(message: string): string {
  const logged = /msg="((?:[^"\\]|\\.)*)"/.exec(message);
  const text = logged?.[1]?.replaceAll('\\"', '"') ?? message;
  return text.replace(/^runc create failed: /, "").trim();
}

/**
 * Removes what runc keeps of a container, its control groups' processes and its root's mount; any of them may be gone
 * already. With `halfMade`, whoever still makes it is ended first: it outlives the agent that was killed meanwhile, and
 * would leave a container that nobody knows.
 */
export async function discard(layout: Layout, id: string, runc: string, halfMade: boolean): Promise<void> {
  if (halfMade) await endMakers(layout, id);
  const script = '"$1" --root "$2" delete --force "$3"; umount "$4" || umount -l "$4"; exit 0';
  const args = ["-c", script, "sh", runc, layout.runcRoot, id, bundleOf(layout, id).root];
  await run("sh", args, { timeoutMs: 10_000 });
}

/** Ends the shell, conmon and runc that make a container. Each may start the next before it is ended itself. */
async function endMakers(layout: Layout, id: string): Promise<void> {
  for (let left = 200, makers = makersOf(layout, id); makers.length > 0 && left > 0; left -= 1) {
    for (const pid of makers) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has just ended.
      }
    }
    await setTimeout(5);
    makers = makersOf(layout, id);
  }
}

/** All of them name the container and runc's folder of this cluster. */
function makersOf(layout: Layout, id: string): number[] {
  return processesWith([layout.runcRoot, id]);
}

/** The processes of this machine that have all these words in their command lines. */
export function processesWith(words: readonly string[]): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      const commandLine = (readText(`/proc/${name}/cmdline`) ?? "").split("\0");
      return words.every((word) => commandLine.includes(word));
    })
    .map(Number);
}

/** The last error in runc's log. */
export function lastProblem(text: string): string | undefined {
  const last = text
    .trim()
    .split("\n")
    .findLast((line) => line.includes('"level":"error"'));
  if (last === undefined) return undefined;
  try {
    return (JSON.parse(last) as { msg: string }).msg;
  } catch {
    // runc was ended in the middle of its line.
    return last;
  }
}
