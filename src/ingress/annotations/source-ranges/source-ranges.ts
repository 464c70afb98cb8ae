import type { Filter } from "#dataplane/table.ts";
import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, traefik, type AnnotationGroup } from "../group.ts";
import { parseRanges } from "../values.ts";

const allowKey = `${nginx}allowlist-source-range`;
const olderAllowKey = `${nginx}whitelist-source-range`;
const traefikAllowKey = `${traefik}whitelist-source-range`;
const denyKey = `${nginx}denylist-source-range`;

/**
 * Who may come in by the client's address. A bad list closes the routes: leaving it out would open them. Of several
 * spellings the first that stands counts, and a bad value of any closes.
 */
export const sourceRanges: AnnotationGroup = {
  name: "source-ranges",
  keys: [allowKey, olderAllowKey, traefikAllowKey, denyKey],
  parse(reader, options) {
    const read = (key: string) => reader.read(key, parseRanges, "deny", "ranges such as 10.0.0.0/8, parted by commas");
    const [own, older, ofTraefik] = [read(allowKey), read(olderAllowKey), read(traefikAllowKey)];
    const filter: Filter = {
      type: "source-ranges",
      allow: own ?? older ?? ofTraefik ?? options.allowRanges,
      deny: read(denyKey) ?? options.denyRanges,
    };
    const effect: RouteEffect = (draft) => {
      if (filter.allow.length === 0 && filter.deny.length === 0) return draft;
      return { ...draft, filters: [...draft.filters, filter] };
    };
    return { effect };
  },
};
