import type { Log } from "#base/log.ts";
import { nameToText, type WireName } from "#wire/dns/name.ts";
import { rcodeName, rcodes, typeName } from "#wire/dns/numbers.ts";
import type { DnsSettings } from "./settings.ts";

/** One question and what was answered. */
export interface LoggedQuery {
  readonly client: string;
  readonly transport: "udp" | "tcp";
  readonly name: WireName;
  readonly type: number;
  readonly rcode: number;
  /** Milliseconds. */
  readonly took: number;
}

export interface QueryLog {
  /** Most servers log no questions, and need not put together what they would log. */
  isOn(): boolean;
  write(query: LoggedQuery): void;
}

/** By this the thread that knows the pods recognises a line, to add who asked. */
export const queryLogMessage = "DNS question";

/** More lines a second are only counted: writing them must not slow down the answers. */
const linesPerSecond = 1_000;

/** Writes questions to the log, by the mode: all, or those that ended in an error other than a missing name. */
export function createQueryLog(log: Log, mode: () => DnsSettings["queryLog"], now: () => number): QueryLog {
  let second = 0;
  let lines = 0;
  let left = 0;
  const isOn = () => (mode() ?? "off") !== "off";
  const write = ({ client, transport, name, type, rcode, took }: LoggedQuery) => {
    const chosen = mode() ?? "off";
    if (chosen === "off") return;
    if (chosen === "errors" && (rcode === rcodes.NOERROR || rcode === rcodes.NXDOMAIN)) return;
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      if (left > 0) log.warn({ left }, "DNS questions left out of the log: there were too many");
      second = current;
      lines = 0;
      left = 0;
    }
    if (lines >= linesPerSecond) {
      left += 1;
      return;
    }
    lines += 1;
    const ms = Math.round(took * 1000) / 1000;
    log.info(
      { client, transport, name: nameToText(name), type: typeName(type), rcode: rcodeName(rcode), ms },
      queryLogMessage,
    );
  };
  return { isOn, write };
}
