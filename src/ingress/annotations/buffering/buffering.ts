import { nginx, type AnnotationGroup } from "../group.ts";
import { oneOf } from "../values.ts";

const response = `${nginx}proxy-buffering`;
const request = `${nginx}proxy-request-buffering`;

/**
 * Whether bodies are collected before they go on. Here they never are: they stream at the pace of the slower side, which
 * is what `off` asks for, and what `on` asks for has no use without workers that a slow client could block.
 */
export const buffering: AnnotationGroup = {
  name: "buffering",
  keys: [response, request],
  parse(reader) {
    for (const key of [response, request]) reader.read(key, oneOf(["on", "off"]), "ignore", "on or off");
    return {};
  },
};
