import { spawn } from "node:child_process";
import { writeSync } from "node:fs";
import { PassThrough, Writable, type Readable } from "node:stream";
import type { IPty } from "@lydell/node-pty";
import type { RuntimeService } from "../runtime/contract.ts";
import type { CommandStreams } from "./request.ts";

/** A command that runs in a container, whatever protocol its streams travel by. */
export interface Command {
  readonly stdin?: Writable;
  readonly stdout: Readable;
  readonly stderr?: Readable;
  /** Settles when it has ended and its output is complete. */
  readonly ended: Promise<CommandEnd>;
  readonly resize: (size: { columns: number; rows: number }) => void;
  /** Whoever started it has gone. */
  readonly hangUp: () => void;
}

export type CommandEnd = { readonly exitCode: number } | { readonly problem: string };

export async function startCommand(
  runtime: RuntimeService,
  id: string,
  command: readonly string[],
  streams: CommandStreams,
): Promise<Command> {
  return streams.tty ? startOnTerminal(runtime, id, command, streams) : startOnPipes(runtime, id, command, streams);
}

function startOnPipes(
  runtime: RuntimeService,
  id: string,
  command: readonly string[],
  streams: CommandStreams,
): Command {
  const { program, args, problem } = runtime.execArguments(id, command, false);
  const child = spawn(program, args, { stdio: [streams.stdin ? "pipe" : "ignore", "pipe", "pipe"] });
  // A program that does not read its input to the end is no failure of the session.
  child.stdin?.on("error", () => {});
  const ended = new Promise<CommandEnd>((resolve) => {
    child.on("error", (error) => resolve({ problem: error.message }));
    child.on("close", (code) => resolve(endOf(code ?? 137, problem())));
  });
  return {
    ...(child.stdin === null ? {} : { stdin: child.stdin }),
    stdout: child.stdout as Readable,
    ...(streams.stderr ? { stderr: child.stderr as Readable } : {}),
    ended,
    resize: () => {},
    hangUp: () => {
      child.stdin?.destroy();
      child.kill("SIGTERM");
    },
  };
}

async function startOnTerminal(
  runtime: RuntimeService,
  id: string,
  command: readonly string[],
  { stdin }: CommandStreams,
): Promise<Command> {
  const pty = await import("@lydell/node-pty");
  const { program, args, problem } = runtime.execArguments(id, command, true);
  const terminal: IPty = pty.spawn(program, args, { name: "xterm", cols: 80, rows: 24, encoding: null });
  const stdout = new PassThrough();
  let hasEnded = false;
  const { fd, _socket: own } = terminal as unknown as { fd: number; _socket: { destroyed: boolean } };
  // After that neither the descriptor nor the process number are its own any more.
  const isOver = () => hasEnded || own.destroyed;
  terminal.onData((data) => {
    if (!stdout.write(data)) {
      terminal.pause();
      stdout.once("drain", () => terminal.resume());
    }
  });
  const input = inputOf(fd, isOver);
  const ended = new Promise<CommandEnd>((resolve) => {
    terminal.onExit(({ exitCode }) => {
      hasEnded = true;
      stdout.end();
      resolve(endOf(exitCode, problem()));
    });
  });
  return {
    ...(stdin ? { stdin: input } : {}),
    stdout,
    ended,
    resize({ columns, rows }) {
      if (isOver()) return;
      try {
        terminal.resize(columns, rows);
      } catch {
        // Its program has just ended.
      }
    },
    hangUp() {
      if (!hasEnded) terminal.kill("SIGHUP");
    },
  };
}

/** How long a program that does not read its terminal is left alone before it is given more. */
const unreadPauseMs = 10;

/**
 * The terminal's input. Its own `write` knows text only, and keeps this whole process waiting for a program that does
 * not read; this one holds up whoever writes to it, and nobody else.
 */
function inputOf(fd: number, isOver: () => boolean): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      let offset = 0;
      const next = (): void => {
        if (isOver()) return done();
        try {
          // The descriptor does not block: what finds no room is refused at once.
          while (offset < chunk.length) offset += writeSync(fd, chunk, offset);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === "EAGAIN") setTimeout(next, unreadPauseMs);
          // A terminal that has just closed is told by the command's end.
          else done();
          return;
        }
        done();
      };
      next();
    },
  });
}

/** runc ends with 255 when it could not run the command at all, and says why in its log. */
function endOf(exitCode: number, problem: string | undefined): CommandEnd {
  return exitCode === 255 && problem !== undefined ? { problem } : { exitCode };
}

/** The Status that ends a session, as kubectl reads it. Pure. */
export function compileCommandStatus(end: CommandEnd): object {
  if ("problem" in end) {
    const message = `Internal error occurred: error executing command in container: ${end.problem}`;
    return {
      metadata: {},
      status: "Failure",
      message,
      reason: "InternalError",
      details: { causes: [{ message }] },
      code: 500,
    };
  }
  if (end.exitCode === 0) return { metadata: {}, status: "Success" };
  return {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: exit status ${end.exitCode}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(end.exitCode) }] },
  };
}
