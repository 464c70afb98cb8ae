import { createHmac, hash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "#base/clock.ts";
import type { Steps } from "./crypt.ts";
import { schemeOf } from "./format.ts";

/** How long hashing goes on before other clients of the worker have their turn. */
const turnMs = 1;
const most = { waiting: 256, remembered: 4096, passwordBytes: 512 };

interface Check {
  readonly steps: Steps;
  readonly done: (text: string) => void;
  cancelled: boolean;
}

/**
 * Checks passwords for all routes of a worker: one at a time and a millisecond a turn, since good hashes are slow on
 * purpose. What was right once is remembered by a digest under a key that nobody else has.
 */
export class PasswordChecks {
  private readonly clock: Clock;
  private readonly key = randomBytes(32);
  private readonly right = new Set<string>();
  private readonly waiting: Check[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Whether these were found right before: then nothing is hashed slowly. */
  isKnown(user: string, password: string, stored: string): boolean {
    return this.right.has(this.digestOf(user, password, stored));
  }

  /** Tells whether the password is the stored one; `undefined` when too many wait already. Returns how to give up. */
  check(user: string, password: string, stored: string, done: (isRight: boolean | undefined) => void): () => void {
    const bytes = Buffer.from(password, "latin1");
    const scheme = schemeOf(stored);
    if (scheme === undefined || bytes.length > most.passwordBytes) {
      done(false);
      return () => {};
    }
    if (this.waiting.length >= most.waiting) {
      done(undefined);
      return () => {};
    }
    const check: Check = {
      steps: scheme(bytes),
      cancelled: false,
      done: (text) => {
        const isRight = isEqual(text, stored);
        if (isRight) this.remember(this.digestOf(user, password, stored));
        done(isRight);
      },
    };
    this.waiting.push(check);
    if (this.waiting.length === 1) setImmediate(() => this.work());
    return () => (check.cancelled = true);
  }

  private work(): void {
    const until = this.clock.monotonic() + turnMs;
    for (;;) {
      const check = this.waiting[0];
      if (check === undefined) return;
      const step = check.cancelled ? undefined : check.steps.next();
      if (step === undefined || step.done === true) {
        this.waiting.shift();
        if (step?.done === true) check.done(step.value);
      }
      if (this.clock.monotonic() >= until) break;
    }
    if (this.waiting.length > 0) setImmediate(() => this.work());
  }

  private digestOf(user: string, password: string, stored: string): string {
    return createHmac("sha256", this.key).update(`${user}\0${password}\0${stored}`, "latin1").digest("base64");
  }

  private remember(digest: string): void {
    if (this.right.size >= most.remembered) {
      const [oldest] = this.right;
      if (oldest !== undefined) this.right.delete(oldest);
    }
    this.right.add(digest);
  }
}

/** Compares without telling by its time where the texts differ. */
function isEqual(a: string, b: string): boolean {
  return timingSafeEqual(hash("sha256", a, "buffer"), hash("sha256", b, "buffer"));
}
