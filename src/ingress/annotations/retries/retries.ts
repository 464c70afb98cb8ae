import { defaultRetry } from "#dataplane/retry.ts";
import type { RetryCondition } from "#dataplane/table.ts";
import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { parseCount, parseRetryConditions, parseSeconds } from "../values.ts";

const triesKey = `${nginx}proxy-next-upstream-tries`;
const conditionsKey = `${nginx}proxy-next-upstream`;
const timeoutKey = `${nginx}proxy-next-upstream-timeout`;

/** What stands for "no limit" of attempts: more than any backend has endpoints worth trying. */
const unlimited = 100;

/** When a request that an endpoint did not serve goes to another one, how often, and for how long. */
export const retries: AnnotationGroup = {
  name: "retries",
  keys: [triesKey, conditionsKey, timeoutKey],
  parse(reader, options) {
    const count = reader.read(triesKey, parseCount, "ignore", "a number, 0 for no limit") ?? options.tries;
    const words = `error, timeout, invalid_header, http_500 and the like, non_idempotent, or off`;
    const given = reader.read(conditionsKey, parseRetryConditions, "ignore", words) ?? options.retryOn;
    const withinMs =
      reader.read(timeoutKey, parseSeconds, "ignore", "seconds, 0 for no limit") ?? options.retryWithinMs;
    const on: readonly RetryCondition[] =
      options.retryNonIdempotent && given.length > 0 ? [...given, "non_idempotent"] : given;
    const tries = on.length === 0 ? 1 : count === 0 ? unlimited : count;
    const isUsual = tries === defaultRetry.tries && withinMs === defaultRetry.withinMs && isSame(on, defaultRetry.on);
    const effect: RouteEffect = (draft) => ({
      ...draft,
      retry: { ...defaultRetry, ...draft.retry, tries, on, withinMs },
    });
    return isUsual ? {} : { effect };
  },
};

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word) => b.includes(word));
}
