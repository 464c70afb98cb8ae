import type { Log } from "#base/log.ts";

/**
 * What nobody caught is a broken invariant: it is logged with its stack, told in one line, and ends the process with code
 * 70 (`EX_SOFTWARE`). Pods, rules and objects stay as they are, and the next start goes on from there. Returns how to
 * take this back.
 */
export function endOnUnexpected(log: Log, tell: (text: string) => void): () => void {
  const end = (error: unknown) => {
    const text = error instanceof Error ? error.message : String(error);
    const stack = error instanceof Error ? error.stack : undefined;
    try {
      log.error({ error: text, ...(stack === undefined ? {} : { stack }) }, "an unexpected error ended the process");
      tell(text);
    } finally {
      process.exit(70);
    }
  };
  // Rejections that nobody handles come here too.
  process.on("uncaughtException", end);
  return () => process.off("uncaughtException", end);
}
