import { createHash } from "node:crypto";
import { systemClock, type Clock } from "#base/clock.ts";
import { hasErrors, renderProblem, type ConfigProblem } from "./problem.ts";

/** The text of a file; throws the system's error. */
export type ReadFile = (path: string) => string;

/** What is made of a configuration file, with all that is to be said about it. */
export interface ReadConfig {
  readonly problems: readonly ConfigProblem[];
}

export interface FollowOptions<T extends ReadConfig> {
  readonly readFile: ReadFile;
  /** Makes the configuration of what `readFile` gives; called anew at every look. */
  readonly read: (readFile: ReadFile) => T;
  readonly clock?: Clock;
  /** Between two looks; 2 seconds by default. */
  readonly everyMs?: number;
  /** The files say something new that can be used. When it rejects, the old configuration stays. */
  readonly changed: (config: T) => Promise<void>;
  /** The files say something new that cannot be used: the old configuration stays. */
  readonly refused: (why: string) => void;
}

export interface FollowedFile {
  /** Of the configuration in use: SHA-512 of the configuration and of the files that it names, in hexadecimal. */
  hash(): string;
  /** How often something new could not be used. */
  failures(): number;
  /** Looks now; resolves when what was found is in use, or has been refused. */
  look(): Promise<void>;
  stop(): void;
}

/**
 * Follows a configuration and the files it names. They are compared by content, not by time or event: a mounted
 * ConfigMap is replaced by a link that moves, which many kinds of watches miss. Something new that cannot be read or
 * used is told once, and counted; what was in use stays. What the files say at the call counts as being in use.
 */
export function followConfig<T extends ReadConfig>(options: FollowOptions<T>): FollowedFile {
  const { readFile, read, clock = systemClock, everyMs = 2_000, changed, refused } = options;
  let failures = 0;
  let stopped = false;
  let looking: Promise<void> | undefined;
  let used = take().hash;
  let seen = used;
  let cancel = clock.after(everyMs, () => void look());

  /** The configuration, and one hash of all texts that it was made of. */
  function take(): { hash: string; config?: T; why?: string } {
    const sum = createHash("sha512");
    const hashing: ReadFile = (path) => {
      try {
        const text = readFile(path);
        sum.update(`${path.length} ${path} ${text.length} ${text}`);
        return text;
      } catch (error) {
        sum.update(`${path.length} ${path} ${(error as NodeJS.ErrnoException).code ?? "failed"}`);
        throw error;
      }
    };
    try {
      const config = read(hashing);
      const errors = config.problems.filter(({ severity }) => severity === "error");
      const why = hasErrors(config.problems) ? errors.map(renderProblem).join("\n") : undefined;
      return { hash: sum.digest("hex"), ...(why === undefined ? { config } : { why }) };
    } catch (error) {
      return { hash: sum.digest("hex"), why: (error as Error).message };
    }
  }

  function look(): Promise<void> {
    looking ??= takeNew().finally(() => {
      looking = undefined;
      if (!stopped) cancel = clock.after(everyMs, () => void look());
    });
    return looking;
  }

  async function takeNew(): Promise<void> {
    cancel();
    if (stopped) return;
    const { hash, config, why } = take();
    if (hash !== seen) {
      seen = hash;
      if (config === undefined) fail(why ?? "it cannot be read");
      else if (hash !== used) await use(hash, config);
    }
  }

  async function use(hash: string, config: T): Promise<void> {
    try {
      await changed(config);
      used = hash;
    } catch (error) {
      fail((error as Error).message);
    }
  }

  function fail(why: string): void {
    failures += 1;
    refused(why);
  }

  return {
    hash: () => used,
    failures: () => failures,
    look,
    stop() {
      stopped = true;
      cancel();
    },
  };
}
