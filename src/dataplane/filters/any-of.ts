import type { FilterAnswer, FilteredRequest, Guard, Later } from "./filter.ts";

/**
 * One guard of several that lets in what any of them lets in (nginx's `satisfy any`). They are asked in turn; when all
 * refuse, the client is asked to sign in if any of them does that. A failure is no refusal: it is the answer at once.
 */
export function anyOf(guards: readonly Guard[]): Guard {
  return (request) => askFrom(0, request, guards, undefined);
}

function askFrom(
  start: number,
  request: FilteredRequest,
  guards: readonly Guard[],
  earlier: FilterAnswer | undefined,
): FilterAnswer | Later | undefined {
  let refusal = earlier;
  for (let at = start; at < guards.length; at += 1) {
    const outcome = guards[at]?.(request);
    if (outcome === undefined) return undefined;
    if ("start" in outcome) return laterOf(outcome, (answer) => goOn(answer, at + 1));
    if (outcome.status >= 500) return outcome;
    refusal = worse(refusal, outcome);
  }
  return refusal;

  function goOn(answer: FilterAnswer | undefined, next: number): FilterAnswer | Later | undefined {
    if (answer === undefined || answer.status >= 500) return answer;
    return askFrom(next, request, guards, worse(refusal, answer));
  }
}

/** Waits for one guard, and for those that are asked after it. */
function laterOf(first: Later, then: (answer: FilterAnswer | undefined) => FilterAnswer | Later | undefined): Later {
  return {
    start(done) {
      let cancelNext: (() => void) | undefined;
      const cancel = first.start((answer) => {
        const next = then(answer);
        if (next !== undefined && "start" in next) cancelNext = next.start(done);
        else done(next);
      });
      return () => {
        cancel();
        cancelNext?.();
      };
    },
  };
}

/** Who can sign in is told so, whatever others say. */
function worse(one: FilterAnswer | undefined, other: FilterAnswer): FilterAnswer {
  return one !== undefined && one.status !== 403 ? one : other;
}
