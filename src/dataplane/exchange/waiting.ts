import type { Limits } from "../limits.ts";
import type { Timeouts } from "../table.ts";
import { giveUpOn, passOver } from "./endpoint-try.ts";
import type { Exchange } from "./exchange.ts";
import { closeTunnel } from "./tunnel.ts";

/** What the exchange waits for; decides what a passed deadline means. */
export type Waiting = "nothing" | "turn" | "connect" | "send" | "read" | "client" | "tunnel";

/** How long it is waited for something, in milliseconds. */
export function timeToWait(waiting: Waiting, timeouts: Timeouts, limits: Limits): number {
  if (waiting === "connect" || waiting === "turn") return timeouts.connectMs;
  if (waiting === "send") return timeouts.sendMs;
  return waiting === "client" ? limits.clientIdleMs : timeouts.readMs;
}

/** What was waited for did not come in time. */
export function giveUpWaiting(exchange: Exchange): void {
  switch (exchange.waiting) {
    case "connect":
      exchange.connecting?.cancel();
      exchange.connecting = undefined;
      passOver(exchange);
      giveUpOn(exchange, "timeout", "connect timed out", 504);
      break;
    case "turn":
      exchange.overflow("no connection became free in time");
      break;
    case "read":
      if (exchange.responding) exchange.fail(504, "no answer in time");
      else giveUpOn(exchange, "timeout", "no answer in time", 504);
      break;
    case "send":
      giveUpOn(exchange, "timeout", "took no bytes in time", 504);
      break;
    case "client":
      exchange.fail(408, "the client sent or took no bytes in time");
      break;
    case "tunnel":
      closeTunnel(exchange);
      break;
    case "nothing":
  }
}
