import { defaultRetry } from "#dataplane/retry.ts";
import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { oneOf, parseSize } from "../values.ts";

const response = `${nginx}proxy-buffering`;
const request = `${nginx}proxy-request-buffering`;
const size = `${nginx}client-body-buffer-size`;

/**
 * Whether bodies are collected. A request's body is, unless `proxy-request-buffering` is off: the endpoint is asked when
 * all of it is here, in memory up to `client-body-buffer-size`, beyond it in a file. Answers stream at the pace of the
 * slower side. What streams to an endpoint is kept up to the same size, so that it can be sent to another one, where the
 * endpoint speaks HTTP/2.
 */
export const buffering: AnnotationGroup = {
  name: "buffering",
  keys: [response, request, size],
  parse(reader, options) {
    const onOrOff = (key: string) => reader.read(key, oneOf(["on", "off"]), "ignore", "on or off");
    onOrOff(response);
    const gathers = (onOrOff(request) ?? options.requestBuffering) === "on";
    const given = reader.read(size, parseSize, "drop", "a number with an optional unit k, m or g, such as 16k");
    const memoryBytes = given ?? options.bodyBufferBytes;
    const keepBytes = gathers ? memoryBytes : 0;
    const isUsual = keepBytes === defaultRetry.keepBytes;
    const effect: RouteEffect = (draft) => ({
      ...draft,
      ...(gathers ? { gather: { memoryBytes } } : {}),
      ...(isUsual ? {} : { retry: { ...defaultRetry, ...draft.retry, keepBytes } }),
    });
    return gathers || !isUsual ? { effect } : {};
  },
};
