import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { parseBool, parseOperation } from "../values.ts";

const enabled = `${nginx}enable-opentelemetry`;
const trusts = `${nginx}opentelemetry-trust-incoming-span`;
const operation = `${nginx}opentelemetry-operation-name`;

/** Whether requests are traced, whether a client's trace goes on, and what the spans are called. */
export const tracing: AnnotationGroup = {
  name: "tracing",
  keys: [enabled, trusts, operation],
  parse(reader, options) {
    const isOn = reader.read(enabled, parseBool, "ignore", "true or false") ?? options.opentelemetry;
    const trust = reader.read(trusts, parseBool, "ignore", "true or false") ?? options.trustIncomingSpan;
    const name = reader.read(operation, parseOperation, "ignore", "letters, digits, _ and -") ?? options.operationName;
    const effect: RouteEffect = (draft, { path }) => {
      if (!isOn) return draft;
      return { ...draft, filters: [...draft.filters, { type: "tracing", name: name === "" ? path : name, trust }] };
    };
    return { effect };
  },
};
