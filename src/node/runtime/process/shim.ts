import { spawn } from "node:child_process";
import { ContainerStartError, type ContainerConfig } from "../contract.ts";
import { bundleOf, type Layout } from "./layout.ts";

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

/** Removes what runc keeps of a container and its root; the exit code of either does not matter, for both may be gone. */
export function removalScript(layout: Layout, id: string, runc: string): { program: string; args: string[] } {
  const { root } = bundleOf(layout, id);
  const script = '"$1" --root "$2" delete --force "$3"; umount "$4" || umount -l "$4"; exit 0';
  return { program: "sh", args: ["-c", script, "sh", runc, layout.runcRoot, id, root] };
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
