import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { parseInteger } from "../values.ts";

const tries = `${nginx}proxy-next-upstream-tries`;
const conditions = `${nginx}proxy-next-upstream`;

/** What stands for "no limit" of attempts: more than any backend has endpoints worth trying. */
const unlimited = 100;

/**
 * How many endpoints one request may try: `proxy-next-upstream-tries`, or only one with `proxy-next-upstream: off`. The
 * conditions are always `error timeout`, the default; others are named as not supported.
 */
export const retries: AnnotationGroup = {
  name: "retries",
  keys: [tries, conditions],
  parse(reader, options) {
    const notNegative = (text: string): number | undefined => {
      const count = parseInteger(text);
      return count === undefined || count < 0 ? undefined : count;
    };
    const count = reader.read(tries, notNegative, "ignore", "a number, 0 for no limit") ?? options.tries;
    const words = new Set(reader.text(conditions)?.split(/\s+/) ?? ["error", "timeout"]);
    if (!words.has("off") && [...words].some((word) => word !== "error" && word !== "timeout")) {
      const message = "only off, error and timeout are supported yet, requests are retried on error and timeout";
      reader.fail(conditions, "annotation-unsupported", message, "ignore");
    }
    const wanted = words.has("off") ? 1 : count === 0 ? unlimited : count;
    const effect: RouteEffect = (draft) => ({ ...draft, tries: wanted });
    return { effect };
  },
};
