import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { parseSize } from "../values.ts";

const size = `${nginx}proxy-body-size`;

/** How long a request's body may be; 413 beyond, 0 for no limit. */
export const bodySize: AnnotationGroup = {
  name: "body-size",
  keys: [size],
  parse(reader, options) {
    const given = reader.read(size, parseSize, "ignore", "a number with an optional unit k, m or g, such as 10m");
    const maxBodyBytes = given ?? options.maxBodyBytes;
    const effect: RouteEffect = (draft) => ({ ...draft, maxBodyBytes });
    return { effect };
  },
};
