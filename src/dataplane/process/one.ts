import { spawn, type ChildProcess } from "node:child_process";
import { workerEnv } from "#base/worker-env.ts";
import type { Log } from "#base/log.ts";
import { ListenError, type ListenerSpec } from "../running.ts";
import type { TableChange } from "../table.ts";
import type { Span } from "../trace/span.ts";
import { protocol, type FromProcess, type Look, type ProcessOptions, type ToProcess } from "./messages.ts";

/** The process cannot be started, or did not begin to listen; the message has its last words. */
export class ProcessError extends Error {
  override name = "ProcessError";
}

export interface OneOptions {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** The worker's module where it does not lie beside the data plane's. */
  readonly workerUrl: URL | undefined;
  readonly log: Log;
  readonly passSpans: (spans: readonly Span[], dropped: number) => void;
  /** Called when it ended, once it had listened. */
  readonly ended: (how: string) => void;
}

const lastWordBytes = 4_000;

/** One process of a data plane, from its start to its end. */
export class OneProcess {
  readonly ended: Promise<void>;
  addresses: readonly ListenerSpec[] = [];
  refused: ReadonlyMap<string, string> = new Map();
  private readonly child: ChildProcess;
  private readonly options: OneOptions;
  private readonly waiters = new Map<number, (look: Look | undefined) => void>();
  private nextId = 1;
  private lastWords = "";
  private isListening = false;
  private readonly listening = Promise.withResolvers<void>();

  constructor(options: OneOptions) {
    this.options = options;
    const { command, workerUrl } = options;
    const [program = "", ...args] = command;
    const url = workerUrl === undefined ? {} : { FAIRLEAD_HTTP_WORKER: workerUrl.href };
    this.child = spawn(program, args, {
      stdio: ["ignore", "inherit", "pipe", "ipc"],
      serialization: "advanced",
      // Nothing of the caller's environment, which may hold secrets, and no folder that it might have no right to.
      env: { PATH: process.env["PATH"], ...workerEnv(), ...url },
      cwd: "/",
    });
    this.listening.promise.catch(() => {});
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.lastWords = (this.lastWords + text).slice(-lastWordBytes);
    });
    this.child.on("message", (message: FromProcess) => this.hear(message));
    this.ended = new Promise((resolve) => {
      const over = (how: string) => {
        for (const settle of this.waiters.values()) settle(undefined);
        this.waiters.clear();
        const words = this.lastWords.trim();
        this.listening.reject(new ProcessError(`the data plane ${how}${words === "" ? "" : `: ${words}`}`));
        resolve();
        if (this.isListening) options.ended(words === "" ? how : `${how}: ${words}`);
      };
      this.child.on("error", (error) => {
        if (this.child.pid === undefined) over(`cannot be started: ${error.message}`);
      });
      this.child.once("close", (code, signal) => {
        over(signal === null ? `ended with code ${code}` : `was ended by ${signal}`);
      });
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Resolves when it serves. Rejects with `ListenError` or `ProcessError`; it is over then. */
  async start(options: ProcessOptions): Promise<void> {
    this.send({ type: "start", options });
    await this.listening.promise;
  }

  /** Resolves when the change is in force, or the process is over. */
  async apply(change: TableChange): Promise<void> {
    await this.ask((id) => ({ type: "apply", id, change }));
  }

  /** What it knows; `undefined` when it is over. */
  look(): Promise<Look | undefined> {
    return this.ask((id) => ({ type: "look", id }));
  }

  /** Drains and ends it; resolves when it is gone. */
  async stop(drainMs: number): Promise<void> {
    this.isListening = false;
    this.send({ type: "stop", drainMs });
    await this.ended;
  }

  private ask(message: (id: number) => ToProcess): Promise<Look | undefined> {
    const id = this.nextId++;
    return new Promise((resolve) => {
      this.waiters.set(id, resolve);
      this.send(message(id));
    });
  }

  private send(message: ToProcess): void {
    if (this.child.connected) this.child.send(message, () => {});
  }

  private settle(id: number, look: Look | undefined): void {
    const waiter = this.waiters.get(id);
    this.waiters.delete(id);
    waiter?.(look);
  }

  private hear(message: FromProcess): void {
    switch (message.type) {
      case "begun":
        if (message.protocol === protocol) return;
        this.lastWords = "it is of another version than the program that started it";
        this.child.kill("SIGKILL");
        break;
      case "listening":
        this.isListening = true;
        this.addresses = message.addresses;
        this.listening.resolve();
        break;
      case "refused":
        this.listening.reject(
          new ListenError(message.listener, Object.assign(new Error(message.code), { code: message.code })),
        );
        this.child.kill("SIGKILL");
        break;
      case "applied":
        this.refused = message.refused;
        this.settle(message.id, undefined);
        break;
      case "looked":
        this.settle(message.id, message.look);
        break;
      case "spans":
        this.options.passSpans(message.spans, message.dropped);
        break;
      case "log":
        this.options.log[message.level](message.fields, message.message);
    }
  }
}
