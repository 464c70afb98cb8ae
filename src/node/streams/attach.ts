import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { PassThrough } from "node:stream";
import type { Clock } from "#base/clock.ts";
import type { ContainerInfo, RuntimeService } from "../runtime/contract.ts";
import { findProgram } from "../runtime/process/program.ts";
import type { Command, CommandEnd } from "./command.ts";
import { readLogLines } from "./log-reader.ts";
import type { CommandStreams } from "./request.ts";

/**
 * Joins a running container's own process: its output from now on is taken from its log, its input goes to the shim.
 */
export function attachTo(
  runtime: RuntimeService,
  container: ContainerInfo,
  streams: CommandStreams,
  clock: Clock,
): Command {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const over = new AbortController();
  const takesInput = streams.stdin && container.config.stdin;
  const input = takesInput ? feedShim(runtime.attachPath(container.id)) : undefined;
  const ended = copyLog().then((): CommandEnd => {
    input?.stop();
    return { exitCode: runtime.container(container.id)?.exitCode ?? 0 };
  });

  async function copyLog(): Promise<void> {
    const path = runtime.logPath(container.id);
    const from = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    const lines = readLogLines({
      path,
      clock,
      signal: over.signal,
      from,
      follow: true,
      isOver: () => runtime.container(container.id)?.state !== "running",
      onOver: (callback) => runtime.onExit(callback),
    });
    for await (const { stream, partial, text } of lines) {
      const target = stream === "stderr" && !container.config.tty ? stderr : stdout;
      if (!target.write(partial ? text : Buffer.concat([text, Buffer.from("\n")]))) await drained(target);
    }
    stdout.end();
    stderr.end();
  }

  if (!streams.stderr) stderr.resume();
  return {
    ...(input === undefined ? {} : { stdin: input.stdin }),
    stdout,
    ...(streams.stderr ? { stderr } : {}),
    ended,
    resize: (size) => void runtime.resize(container.id, size).catch(() => {}),
    hangUp: () => over.abort(),
  };
}

/** A slow reader slows the copy down; one that has gone does not hold it. */
function drained(stream: PassThrough): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) resolve();
    else stream.once("drain", resolve).once("close", resolve);
  });
}

/** Why input cannot be sent to a container, or `undefined`. */
export function whyNoInput(container: ContainerInfo, streams: CommandStreams): string | undefined {
  if (!streams.stdin || !container.config.stdin || findProgram("socat") !== undefined) return undefined;
  return "attaching with input needs the program socat on this machine: apt-get install socat";
}

/** The shim listens on a socket of packets, which only a program outside of Node can open. */
function feedShim(path: string): { stdin: NodeJS.WritableStream & PassThrough; stop: () => void } {
  const child = spawn("socat", ["-u", "-", `UNIX-CONNECT:${path},type=5`], { stdio: ["pipe", "ignore", "ignore"] });
  const stdin = new PassThrough();
  child.on("error", () => stdin.destroy());
  child.stdin.on("error", () => {});
  stdin.pipe(child.stdin);
  return { stdin, stop: () => child.kill() };
}
