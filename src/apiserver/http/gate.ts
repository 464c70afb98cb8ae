import type { UserInfo } from "#api/admission.ts";
import { ApiError } from "#api/meta/status.ts";
import type { Clock } from "#base/clock.ts";
import { masters } from "../auth/authorize.ts";

/** What the server takes at once, and what it takes from one user of that. */
export interface RequestLimits {
  /** Requests being answered, of all users together. */
  readonly atOnce: number;
  /** Of one user. */
  readonly ofUserAtOnce: number;
  /** Requests of one user a second, for as long as they come. */
  readonly ofUserPerSecond: number;
  /** And so many at once before that counts. */
  readonly ofUserBurst: number;
  /** Open watches, logs, commands and forwarded ports of one user. */
  readonly ofUserStreams: number;
}

export const defaultRequestLimits: RequestLimits = {
  atOnce: 400,
  ofUserAtOnce: 200,
  ofUserPerSecond: 4000,
  ofUserBurst: 20_000,
  ofUserStreams: 4096,
};

/** A request that was let in. */
export interface Pass {
  /** Its answer has begun and goes on for long: it counts as a stream from now on, and not as a request. */
  readonly opened: () => void;
  /** Its answer is over. */
  readonly closed: () => void;
}

export interface Gate {
  /**
   * Lets a request in. Throws `TooManyRequests`, with the time after which to come again, when the server or its user has
   * too many. Members of `system:masters` are always let in, so that whatever others do somebody can end it (upstream: flow
   * schema `exempt`).
   */
  enter(user: UserInfo, isStream: boolean): Pass;
}

interface OfUser {
  atOnce: number;
  streams: number;
  /** What is left of the burst, and when that was. */
  tokens: number;
  at: number;
}

/** Users of whom nothing is under way are forgotten when there are more than these. */
const remembered = 4096;
const free: Pass = { opened() {}, closed() {} };

export function createGate(limits: RequestLimits, clock: Clock): Gate {
  const users = new Map<string, OfUser>();
  let atOnce = 0;

  function find(name: string): OfUser {
    const now = clock.monotonic();
    const user = users.get(name) ?? { atOnce: 0, streams: 0, tokens: limits.ofUserBurst, at: now };
    user.tokens = refilled(user, now);
    user.at = now;
    users.set(name, user);
    return user;
  }

  function refilled({ tokens, at }: OfUser, now: number): number {
    return Math.min(limits.ofUserBurst, tokens + ((now - at) / 1000) * limits.ofUserPerSecond);
  }

  function forgetIdle(): void {
    if (users.size <= remembered) return;
    const now = clock.monotonic();
    for (const [name, user] of users) {
      if (user.atOnce + user.streams === 0 && refilled(user, now) >= limits.ofUserBurst) users.delete(name);
    }
  }

  return {
    enter(who, isStream) {
      if (who.groups.includes(masters)) return free;
      const user = find(who.name);
      const isFull = atOnce >= limits.atOnce || user.atOnce >= limits.ofUserAtOnce;
      if (isFull || user.tokens < 1 || (isStream && user.streams >= limits.ofUserStreams)) throw tooManyRequests();
      atOnce += 1;
      user.atOnce += 1;
      user.tokens -= 1;
      if (isStream) user.streams += 1;
      let isOpen = false;
      let isClosed = false;
      const answered = () => {
        if (isOpen || isClosed) return;
        atOnce -= 1;
        user.atOnce -= 1;
      };
      return {
        opened() {
          answered();
          isOpen = true;
        },
        closed() {
          answered();
          if (isClosed) return;
          isClosed = true;
          if (isStream) user.streams -= 1;
          forgetIdle();
        },
      };
    },
  };
}

/** The server, or a user of it, has too much to do. */
export function tooManyRequests(): ApiError {
  return new ApiError("TooManyRequests", "Too many requests, please try again later.", { retryAfterSeconds: 1 });
}
