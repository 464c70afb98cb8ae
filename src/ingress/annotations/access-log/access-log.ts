import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { parseBool } from "../values.ts";

const key = `${nginx}enable-access-log`;

/** `enable-access-log: false`: the requests of this Ingress do not stand in the access log. */
export const accessLog: AnnotationGroup = {
  name: "access-log",
  keys: [key],
  parse(reader) {
    const isOn = reader.read(key, parseBool, "ignore", "true or false") ?? true;
    const effect: RouteEffect = (draft) => {
      return isOn ? draft : { ...draft, filters: [...draft.filters, { type: "quiet" }] };
    };
    return { effect };
  },
};
