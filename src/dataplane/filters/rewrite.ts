import { escapePath } from "#wire/http1/path.ts";
import type { Filter } from "../table.ts";
import type { RequestFilter } from "./filter.ts";

/**
 * Replaces the path that goes to the endpoint. `$1`..`$9` are groups of the route's expression, empty where a group took
 * no part. The groups come from the decoded path and are escaped again, so nothing a client sends can end the path or the
 * request line. The query stays; when the new path has one of its own, the client's is appended to it.
 */
export function compileRewrite({ to }: Extract<Filter, { type: "rewrite" }>): RequestFilter {
  const mark = to.indexOf("?");
  const path = mark === -1 ? to : to.slice(0, mark);
  const query = mark === -1 ? "" : to.slice(mark);
  const parts = path.split(/\$(\d)/);
  return (request) => {
    let out = "";
    for (const [index, part] of parts.entries()) out += index % 2 === 0 ? part : (request.groups?.[Number(part)] ?? "");
    const absolute = out.startsWith("/") ? out : `/${out}`;
    request.rewritten = escapePath(absolute) + joinQueries(query, request.query);
    return undefined;
  };
}

function joinQueries(own: string, client: string): string {
  if (own === "") return client;
  const escaped = own.replace(/[^!-~]|[#\\]/g, (character) => encodeURIComponent(character));
  return client.length > 1 ? `${escaped}&${client.slice(1)}` : escaped;
}
