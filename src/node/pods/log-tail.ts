import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { Container } from "#api/core/pod/kind.ts";
import type { Ending } from "./status.ts";

/** `FallbackToLogsOnError`: a container that failed without last words is spoken for by the end of its log. */
export function withLogTail(ending: Ending, container: Container | undefined, logPath: string): Ending {
  const wanted = container?.terminationMessagePolicy === "FallbackToLogsOnError";
  if (!wanted || ending.exitCode === 0 || ending.message !== "") return ending;
  return { ...ending, message: readLogTail(logPath) };
}

const mostLines = 80;
const mostBytes = 2048;

/** The end of a container's log without stamps: 80 lines and 2048 bytes at most, as upstream takes of it. */
function readLogTail(path: string): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return "";
  }
  try {
    const { size } = fstatSync(file);
    // Each line has a stamp of about 45 bytes before its text.
    const block = Buffer.alloc(Math.min(size, mostBytes + mostLines * 64));
    readSync(file, block, 0, block.length, size - block.length);
    const lines = block.toString("utf8").split("\n");
    const texts = lines.flatMap((line) => {
      const match = /^\S+ (?:stdout|stderr) ([FP]) (.*)$/.exec(line);
      return match === null ? [] : [`${match[2]}${match[1] === "F" ? "\n" : ""}`];
    });
    return texts.slice(-mostLines).join("").slice(-mostBytes);
  } finally {
    closeSync(file);
  }
}
