/** One line of a container's log file: `TIME stdout|stderr F|P TEXT`; P is a piece that the next line goes on with. */
export interface LogLine {
  /** As it stands in the file. */
  readonly time: string;
  readonly stream: "stdout" | "stderr";
  readonly partial: boolean;
  readonly text: Buffer;
}

/** Reads a line without its line feed; `undefined` for one that is damaged. Pure. */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const first = line.indexOf(0x20);
  const second = line.indexOf(0x20, first + 1);
  const third = line.indexOf(0x20, second + 1);
  if (first === -1 || second === -1 || third === -1) return undefined;
  const stream = line.toString("latin1", first + 1, second);
  const tag = line.toString("latin1", second + 1, third);
  if ((stream !== "stdout" && stream !== "stderr") || (tag !== "F" && tag !== "P")) return undefined;
  return { time: line.toString("latin1", 0, first), stream, partial: tag === "P", text: line.subarray(third + 1) };
}

/** What a reader of the log is shown of a line; `starts` tells that the line before was whole. */
export function renderLogLine({ time, partial, text }: LogLine, timestamps: boolean, starts: boolean): Buffer {
  const stamp = timestamps && starts ? Buffer.from(`${time.replace("+00:00", "Z")} `) : Buffer.alloc(0);
  return Buffer.concat([stamp, text, partial ? Buffer.alloc(0) : Buffer.from("\n")]);
}

/** Whether a line is at or after `since`, in milliseconds. */
export function isSince({ time }: LogLine, since: number): boolean {
  return Date.parse(time.replace(/(\.\d{3})\d*/, "$1")) >= since;
}
