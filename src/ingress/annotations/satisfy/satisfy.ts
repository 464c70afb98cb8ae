import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { oneOf } from "../values.ts";

const key = `${nginx}satisfy`;

/** `satisfy: any`: who passes one of the guards (addresses, password, authenticator) need not pass the others. */
export const satisfy: AnnotationGroup = {
  name: "satisfy",
  keys: [key],
  parse(reader) {
    const given = reader.read(key, oneOf(["any", "all"]), "ignore", "any or all") ?? "all";
    const effect: RouteEffect = (draft) => {
      return given === "all" ? draft : { ...draft, filters: [...draft.filters, { type: "satisfy-any" }] };
    };
    return { effect };
  },
};
