import { Session } from "node:inspector/promises";
import type { Clock } from "./clock.ts";

/** Whoever waited for the program to be ready has had the first answers by then. */
const startedMs = 1_000;

/** Gives back what starting has left behind, once that is over. Keeps no process alive. */
export function freeMemoryOfStart(clock: Clock): void {
  clock.after(startedMs, () => void freeMemory());
}

/**
 * Gives the system back what a large load has left behind. The heap would keep its pages for the next load, which for
 * some programs never comes: they read a whole cluster once and then follow its changes. Holds this thread up for about
 * a millisecond for each megabyte that stays.
 */
export async function freeMemory(): Promise<void> {
  const session = new Session();
  session.connect();
  try {
    await session.post("HeapProfiler.collectGarbage");
  } finally {
    session.disconnect();
  }
}
