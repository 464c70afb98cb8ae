import type { Filter } from "#dataplane/table.ts";
import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { parseBool, parsePathWithCapture } from "../values.ts";

const target = `${nginx}rewrite-target`;
const useRegex = `${nginx}use-regex`;
const forwardedPrefix = `${nginx}x-forwarded-prefix`;

/**
 * `rewrite-target` replaces the whole path, with `$1`..`$9` from the rule path read as an expression; a target equal to
 * the rule path changes nothing, and an absolute URL redirects instead. Either it or `use-regex` makes all paths of the
 * host expressions. `x-forwarded-prefix` tells the endpoint what was taken away.
 */
export const nginxRewrite: AnnotationGroup = {
  name: "rewrite",
  keys: [target, useRegex, forwardedPrefix],
  parse(reader) {
    const to = reader.read(target, parsePathWithCapture, "ignore", "a path of letters, digits and -._~/:$");
    const asked = reader.read(useRegex, parseBool, "ignore", "true or false") ?? false;
    const prefix = reader.read(forwardedPrefix, parsePathWithCapture, "drop", "a path of letters, digits and -._~/:$");
    const isUrl = to !== undefined && /^(https?:\/\/|\$scheme)/.test(to);
    if (isUrl && to.includes("$")) {
      reader.fail(target, "annotation-unsupported", "captures and variables in a URL are not supported yet", "deny");
    }
    if (prefix?.includes("$")) {
      reader.fail(forwardedPrefix, "annotation-unsupported", "captures are not supported yet", "ignore");
    }
    const rewrites = (path: string): boolean => to !== undefined && to !== path;
    const effect: RouteEffect = (draft, { path, ruled }) => {
      if (to === undefined || !ruled || !rewrites(path)) return draft;
      const filters: Filter[] = [...draft.filters];
      if (isUrl) filters.push({ type: "redirect", status: 302, location: to, keepQuery: true });
      else filters.push({ type: "rewrite", to });
      if (prefix !== undefined && !prefix.includes("$")) {
        filters.push({ type: "request-headers", set: [["x-forwarded-prefix", prefix]] });
      }
      return { ...draft, filters };
    };
    return { effect, regex: (path) => asked || rewrites(path) };
  },
};
