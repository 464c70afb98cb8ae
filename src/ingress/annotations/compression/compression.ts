import type { Filter } from "#dataplane/table.ts";
import type { RouteEffect } from "#routing/l7/settings.ts";
import type { AnnotationGroup } from "../group.ts";

/** Answers are compressed for clients that take it. No annotation changes it; the options do. */
export const compression: AnnotationGroup = {
  name: "compression",
  keys: [],
  parse(_reader, { gzip, gzipLevel, gzipMinBytes, gzipTypes }) {
    if (!gzip) return {};
    const filter: Filter = { type: "gzip", level: gzipLevel, minBytes: gzipMinBytes, types: gzipTypes };
    const effect: RouteEffect = (draft) => ({ ...draft, filters: [...draft.filters, filter] });
    return { effect };
  },
};
