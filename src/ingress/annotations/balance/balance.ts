import type { Filter } from "#dataplane/table.ts";
import type { RouteEffect } from "#routing/l7/settings.ts";
import { nginx, type AnnotationGroup } from "../group.ts";
import { parseBool, parseInteger, parseTemplate } from "../values.ts";

const balanceKey = `${nginx}load-balance`;
const hashKey = `${nginx}upstream-hash-by`;
const subsetKey = `${nginx}upstream-hash-by-subset`;
const sizeKey = `${nginx}upstream-hash-by-subset-size`;

const usualSize = 3;

const balances = { round_robin: "round-robin", ewma: "ewma", least_conn: "least-request" } as const;

/**
 * Which endpoint gets a request: in turn, the faster or the less busy of two, or always the same for the same text. Holds
 * for the rules of this Ingress alone; in ingress-nginx it spills over to others of the same Service.
 */
export const balance: AnnotationGroup = {
  name: "balance",
  keys: [balanceKey, hashKey, subsetKey, sizeKey],
  parse(reader, options) {
    const known = (text: string) =>
      Object.hasOwn(balances, text) ? balances[text as keyof typeof balances] : undefined;
    const balance = reader.read(balanceKey, known, "drop", "round_robin, ewma or least_conn") ?? options.balance;
    const text = reader.read(hashKey, parseTemplate, "drop", "text with known variables only");
    const inSubsets = reader.read(subsetKey, parseBool, "drop", "true or false") ?? false;
    const size = reader.read(sizeKey, parseInteger, "drop", "a number") ?? usualSize;
    const effect: RouteEffect = (draft) => {
      if (text === undefined) return { ...draft, balance };
      const filter: Filter = { type: "hash-by", text, ...(inSubsets && size > 0 ? { subset: size } : {}) };
      return { ...draft, balance, filters: [...draft.filters, filter] };
    };
    return { effect };
  },
};
