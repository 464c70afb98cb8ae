import { streamTimes } from "../../streams.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { parseBool } from "../values.ts";

const key = `${nginx}ssl-passthrough`;

/**
 * `ssl-passthrough: "true"`: TLS connections for the hosts go to the Service of the rule for `/` as they are, so that the
 * pods hold the certificate. What else the Ingress says is about HTTP, and holds on the plain port alone.
 */
export const sslPassthrough: AnnotationGroup = {
  name: "ssl-passthrough",
  keys: [key],
  parse(reader, options) {
    if (reader.read(key, parseBool, "ignore", "true or false") !== true) return {};
    const { connectMs, tcpIdleMs: idleMs, tries } = streamTimes(options);
    return { passthrough: { connectMs, idleMs, tries } };
  },
};
