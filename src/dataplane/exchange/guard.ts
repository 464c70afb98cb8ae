import type { Later } from "../filters/filter.ts";
import type { Exchange } from "./exchange.ts";
import { continueRequest, type Decision } from "./route-request.ts";

/** The request stays where it is until a guard of its route has said what comes of it, maybe at once. */
export function waitForGuard(exchange: Exchange, decision: Decision, later: Later): void {
  let isOver = false;
  const cancel = later.start((answer) => {
    isOver = true;
    exchange.cancelGuard = undefined;
    if (exchange.ended) return;
    exchange.decide(continueRequest(decision, answer));
    exchange.proceed(false);
  });
  if (isOver) return;
  exchange.cancelGuard = cancel;
  if (decision.live !== undefined) decision.live.isStale = true;
}
