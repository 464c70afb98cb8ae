import type { FilteredRequest } from "./filter.ts";

/** Text with variables in it, ready for requests. */
export type Template = (request: FilteredRequest) => string;

const variables: Readonly<Record<string, Template>> = {
  host: ({ host }) => host,
  http_host: ({ authority }) => authority,
  best_http_host: ({ authority }) => authority,
  scheme: schemeOf,
  pass_access_scheme: schemeOf,
  request_method: ({ method }) => method,
  request_uri: ({ target }) => target,
  escaped_request_uri: ({ target }) => encodeURIComponent(target),
  uri: ({ path }) => path,
  document_uri: ({ path }) => path,
  args: ({ query }) => query.slice(1),
  query_string: ({ query }) => query.slice(1),
  is_args: ({ query }) => (query.length > 1 ? "?" : ""),
  remote_addr: ({ client }) => client,
  the_real_ip: ({ client }) => client,
  binary_remote_addr: ({ client }) => client,
};

function schemeOf({ secure }: FilteredRequest): string {
  return secure ? "https" : "http";
}

const variablePattern = /\$(?:\{([a-z0-9_]+)\}|([a-z0-9_]+))/gi;

/** The names of variables in a text that mean nothing here. */
export function unknownVariables(text: string): readonly string[] {
  return [...text.matchAll(variablePattern)]
    .map(([, braced, plain]) => braced ?? plain ?? "")
    .filter((name) => variableOf(name) === undefined);
}

/**
 * Makes a text with nginx's variables ready: `$host`, `$http_host`, `$scheme`, `$request_method`, `$request_uri`,
 * `$escaped_request_uri`, `$uri`, `$args`, `$is_args`, `$remote_addr`, `$arg_NAME`, `$cookie_NAME`, `$http_NAME`. What
 * is unknown or absent is empty.
 */
export function compileTemplate(text: string): Template {
  const parts: (string | Template)[] = [];
  let from = 0;
  for (const found of text.matchAll(variablePattern)) {
    parts.push(text.slice(from, found.index), variableOf(found[1] ?? found[2] ?? "") ?? "");
    from = found.index + found[0].length;
  }
  parts.push(text.slice(from));
  const [only] = parts;
  if (parts.length === 1 && typeof only === "string") return () => only;
  return (request) => parts.map((part) => (typeof part === "string" ? part : part(request))).join("");
}

function variableOf(name: string): Template | undefined {
  const lower = name.toLowerCase();
  if (Object.hasOwn(variables, lower)) return variables[lower];
  const [, kind = "", rest = ""] = /^(arg|cookie|http)_(.+)$/.exec(lower) ?? [];
  if (kind === "arg") return ({ query }) => valueIn(query.slice(1).split("&"), rest);
  if (kind === "cookie") return (request) => cookieOf(request, name.slice(7)) ?? "";
  if (kind === "http") return (request) => request.field(rest.replaceAll("_", "-")) ?? "";
  return undefined;
}

/** A cookie's value as it came. */
export function cookieOf(request: FilteredRequest, name: string): string | undefined {
  const start = `${name}=`;
  const all = request.field("cookie")?.split(/[;,] */) ?? [];
  return all.find((pair) => pair.startsWith(start))?.slice(start.length);
}

function valueIn(pairs: readonly string[], name: string): string {
  const start = `${name}=`;
  return pairs.find((pair) => pair.toLowerCase().startsWith(start))?.slice(start.length) ?? "";
}
