import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { parseSeconds } from "../values.ts";

const connect = `${nginx}proxy-connect-timeout`;
const read = `${nginx}proxy-read-timeout`;
const send = `${nginx}proxy-send-timeout`;

/** How long an endpoint may take: to be connected to, between two reads, between two writes. */
export const timeouts: AnnotationGroup = {
  name: "timeouts",
  keys: [connect, read, send],
  parse(reader, options) {
    const seconds = (key: string): number | undefined => {
      return reader.read(key, parseSeconds, "ignore", "a whole number of seconds without a unit");
    };
    const timeouts = {
      connectMs: seconds(connect) ?? options.connectMs,
      readMs: seconds(read) ?? options.readMs,
      sendMs: seconds(send) ?? options.sendMs,
    };
    const effect: RouteEffect = (draft) => ({ ...draft, timeouts });
    return { effect };
  },
};
