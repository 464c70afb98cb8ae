import { defaultRetry } from "#dataplane/retry.ts";
import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { oneOf, parseSize } from "../values.ts";

const response = `${nginx}proxy-buffering`;
const request = `${nginx}proxy-request-buffering`;
const size = `${nginx}client-body-buffer-size`;

/**
 * Whether bodies are collected. They never wait here: they stream at the pace of the slower side. But what was sent of a
 * request's body is kept, so that it can be sent to another endpoint: up to `client-body-buffer-size`, and not at all with
 * `proxy-request-buffering: off`.
 */
export const buffering: AnnotationGroup = {
  name: "buffering",
  keys: [response, request, size],
  parse(reader, options) {
    const onOrOff = (key: string) => reader.read(key, oneOf(["on", "off"]), "ignore", "on or off");
    onOrOff(response);
    const keeps = onOrOff(request) ?? options.requestBuffering;
    const given = reader.read(size, parseSize, "drop", "a number with an optional unit k, m or g, such as 16k");
    const keepBytes = keeps === "off" ? 0 : (given ?? options.bodyBufferBytes);
    const effect: RouteEffect = (draft) => ({ ...draft, retry: { ...defaultRetry, ...draft.retry, keepBytes } });
    return keepBytes === defaultRetry.keepBytes ? {} : { effect };
  },
};
