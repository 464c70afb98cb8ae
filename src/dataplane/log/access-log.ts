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
  /** Lines that wait, as bytes at once: a text that grows by pieces costs more to write than all of its pieces. */
  private bytes = Buffer.allocUnsafeSlow(flushBytes);
  private length = 0;
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
    const line = this.format(served);
    if (this.length + line.length > this.bytes.length) this.makeRoom(line.length);
    this.length += this.bytes.write(line, this.length, "latin1");
    if (this.length >= flushBytes) this.flush();
    else this.cancel ??= this.clock.after(flushMs, () => this.flush());
  }

  private makeRoom(more: number): void {
    this.flush();
    if (this.length + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.length + more));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  flush(): void {
    this.cancel?.();
    this.cancel = undefined;
    let written = 0;
    try {
      while (written < this.length) written += writeSync(this.descriptor, this.bytes, written, this.length - written);
      this.length = 0;
    } catch (error) {
      this.keep(written, error as NodeJS.ErrnoException);
    }
    if (this.length === 0 && this.bytes.length > flushBytes) this.bytes = Buffer.allocUnsafeSlow(flushBytes);
  }

  /** A pipe that is full is tried again; what cannot be written at all is lost, and that is said. */
  private keep(written: number, error: NodeJS.ErrnoException): void {
    this.bytes.copyWithin(0, written, this.length);
    this.length -= written;
    if (error.code === "EAGAIN" && this.length < mostBytes) {
      this.cancel ??= this.clock.after(flushMs, () => this.flush());
      return;
    }
    this.length = 0;
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
