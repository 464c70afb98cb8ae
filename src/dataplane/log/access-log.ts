import { closeSync, openSync, writeSync } from "node:fs";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { formatJson } from "./json.ts";
import { formatLine } from "./line.ts";
import type { Served } from "./served.ts";

/** Where requests are written down: a file that is appended to, or `-` for the standard output. */
export interface AccessLogOptions {
  readonly path: string;
  /** nginx's line of ingress-nginx (`upstreaminfo`), or one JSON object a line. */
  readonly format: "line" | "json";
}

const flushBytes = 64 * 1024;
const flushMs = 1000;
/** A reader that does not keep up loses lines, never the worker's memory. */
const mostBytes = 8 * 1024 * 1024;
const complainMs = 60_000;
const standardOutput = 1;

/**
 * Writes a line for each request that is over. Lines are gathered and written once they fill a block or a second has
 * passed; each write holds whole lines, so that workers can share a file.
 */
export class AccessLog {
  private readonly format: (served: Served) => string;
  private readonly descriptor: number;
  private readonly clock: Clock;
  private readonly log: Log;
  private text = "";
  private cancel: (() => void) | undefined;
  private complainedAt = -Infinity;
  private stopped = false;

  /** Throws when the file cannot be opened. */
  constructor({ path, format }: AccessLogOptions, clock: Clock, log: Log) {
    this.format = format === "json" ? formatJson : formatLine;
    this.descriptor = path === "-" ? standardOutput : openSync(path, "a", 0o640);
    this.clock = clock;
    this.log = log;
  }

  add(served: Served): void {
    this.text += this.format(served);
    if (this.text.length >= flushBytes) this.flush();
    else this.cancel ??= this.clock.after(flushMs, () => this.flush());
  }

  flush(): void {
    this.cancel?.();
    this.cancel = undefined;
    if (this.text === "") return;
    let bytes = Buffer.from(this.text, "latin1");
    this.text = "";
    try {
      while (bytes.length > 0) bytes = bytes.subarray(writeSync(this.descriptor, bytes));
    } catch (error) {
      this.keep(bytes, error as NodeJS.ErrnoException);
    }
  }

  /** A pipe that is full is tried again; what cannot be written at all is lost, and that is said. */
  private keep(bytes: Buffer, error: NodeJS.ErrnoException): void {
    if (error.code === "EAGAIN" && bytes.length < mostBytes) {
      this.text = bytes.toString("latin1") + this.text;
      this.cancel ??= this.clock.after(flushMs, () => this.flush());
      return;
    }
    const now = this.clock.monotonic();
    if (now - this.complainedAt < complainMs) return;
    this.complainedAt = now;
    this.log.warn({ error: error.message }, "the access log cannot be written; its lines are lost until it can");
  }

  /** Safe to repeat. */
  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.flush();
    this.cancel?.();
    this.cancel = undefined;
    if (this.descriptor !== standardOutput) closeSync(this.descriptor);
  }
}
