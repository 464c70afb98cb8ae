import type { Filter } from "../table.ts";
import type { Guard } from "./filter.ts";
import { compileTemplate } from "./template.ts";

/** Requests with the same text go to the same endpoint, or to the same group of them. Never refuses. */
export function compileHashBy({ text, subset }: Extract<Filter, { type: "hash-by" }>): Guard {
  const template = compileTemplate(text);
  return (request) => {
    request.prefer({ hash: template(request), ...(subset === undefined ? { evenly: true } : { subset }) });
    return undefined;
  };
}
