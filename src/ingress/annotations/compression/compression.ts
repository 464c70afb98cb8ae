import type { Filter } from "#dataplane/table.ts";
import type { RouteEffect } from "#routing/l7/settings.ts";
import type { AnnotationGroup } from "../group.ts";

/** Answers are compressed for clients that take it. No annotation changes it; the options do. */
export const compression: AnnotationGroup = {
  name: "compression",
  keys: [],
  parse(_reader, options) {
    const { brotliTypes, zstdTypes, gzipTypes } = options;
    const filters: readonly Filter[] = [
      ...when(options.brotli, {
        coding: "br",
        level: options.brotliLevel,
        minBytes: options.brotliMinBytes,
        types: brotliTypes,
      }),
      ...when(options.zstd, {
        coding: "zstd",
        level: options.zstdLevel,
        minBytes: options.zstdMinBytes,
        types: zstdTypes,
      }),
      ...when(options.gzip, {
        coding: "gzip",
        level: options.gzipLevel,
        minBytes: options.gzipMinBytes,
        types: gzipTypes,
      }),
    ];
    const effect: RouteEffect = (draft) => ({ ...draft, filters: [...draft.filters, ...filters] });
    return filters.length === 0 ? {} : { effect };
  },
};

type Compress = Extract<Filter, { type: "compress" }>;

function when(isOn: boolean, filter: Omit<Compress, "type">): readonly Filter[] {
  return isOn ? [{ type: "compress", ...filter }] : [];
}
