import { hash } from "node:crypto";
import type { Filter } from "../table.ts";
import type { FilterAnswer, FilteredRequest, Guard, Question, Reply } from "./filter.ts";
import { compileTemplate } from "./template.ts";

type ExternalAuth = Extract<Filter, { type: "external-auth" }>;

/** As nginx's `add_header` without `always`: for these only, the authenticator's cookies go to the client. */
const cookieStatuses = new Set([200, 201, 204, 206, 301, 302, 303, 304, 307, 308]);

/** Replies that are kept, and how long the fields of one may be. */
const mostCached = 10_000;
const mostCachedBytes = 4096;

/**
 * Asks somebody else whether a request may come in (nginx `auth_request`): 2xx lets it, 401 and 403 are passed on, all
 * else is 500, also no reply at all. With `signIn`, 401 becomes a redirect there.
 */
export function compileExternalAuth(filter: ExternalAuth): Guard {
  const questionOf = compileQuestion(filter);
  const judge = compileJudge(filter);
  const keyOf = filter.cache === undefined ? undefined : compileTemplate(filter.cache.key);
  const cached = new Map<string, { readonly reply: Reply; readonly until: number }>();
  return (request) => {
    // A digest, since keys hold what clients say, secrets among it.
    const key = keyOf === undefined ? undefined : hash("sha256", `${request.host} ${keyOf(request)}`);
    const known = key === undefined ? undefined : cached.get(key);
    const now = request.tools.clock.monotonic();
    if (known !== undefined && known.until > now) return judge(request, known.reply);
    return {
      start: (done) =>
        request.ask(questionOf(request), (reply) => {
          if (typeof reply === "string") {
            done({ status: 500, reason: `the authenticator ${filter.host} did not answer: ${reply}` });
            return;
          }
          const ms = key === undefined ? 0 : cacheableFor(filter, reply);
          if (key !== undefined && ms > 0) {
            const [oldest] = cached.keys();
            if (cached.size >= mostCached && oldest !== undefined) cached.delete(oldest);
            cached.set(key, { reply, until: now + ms });
          }
          done(judge(request, reply));
        }),
    };
  };
}

function compileQuestion(filter: ExternalAuth): (request: FilteredRequest) => Question {
  const { backend, method = "GET", host, timeouts } = filter;
  const target = compileTemplate(filter.target);
  const redirect = compileTemplate(filter.redirect ?? "$request_uri");
  const more = (filter.fields ?? []).map(([name, value]) => [name, compileTemplate(value)] as const);
  return (request) => {
    const { authority, client, secure } = request;
    const scheme = secure ? "https" : "http";
    const requestId = request.field("x-request-id");
    const fields: (readonly [string, string])[] = [
      ["X-Original-URL", `${scheme}://${authority}${request.target}`],
      ["X-Original-Method", request.method],
      ["X-Sent-From", "nginx-ingress-controller"],
      ["X-Real-IP", client],
      ["X-Forwarded-For", client],
      ["X-Auth-Request-Redirect", redirect(request)],
    ];
    if (requestId !== undefined) fields.push(["X-Request-ID", requestId]);
    if (filter.method !== undefined) fields.push(["X-Original-URI", request.target], ["X-Scheme", scheme]);
    for (const [name, value] of more) fields.push([name, value(request)]);
    return { backend, method, host, timeouts, target: target(request), fields };
  };
}

function compileJudge(filter: ExternalAuth): (request: FilteredRequest, reply: Reply) => FilterAnswer | undefined {
  const { responseFields, alwaysSetCookie = false } = filter;
  const signIn = filter.signIn === undefined ? undefined : compileTemplate(filter.signIn);
  return (request, reply) => {
    const valuesOf = (name: string) => reply.fields.filter(([known]) => known === name).map(([, value]) => value);
    const cookies = valuesOf("set-cookie");
    if (reply.status >= 200 && reply.status < 300) {
      // Also what the reply does not have is set, to nothing: a client must not say it in its place.
      for (const name of responseFields) {
        const values = valuesOf(name.toLowerCase());
        request.requestEdits.set(name, values.length === 0 ? undefined : values.join(", "));
      }
      if (cookies.length > 0) {
        request.atResponse((status) => {
          if (!alwaysSetCookie && !cookieStatuses.has(status)) return;
          for (const cookie of cookies) request.responseEdits.add("Set-Cookie", cookie);
        });
      }
      return undefined;
    }
    const withCookies = (fields: readonly (readonly [string, string])[]) => [
      ...fields,
      ...cookies.map((cookie) => ["Set-Cookie", cookie] as const),
    ];
    if (reply.status === 401 && signIn !== undefined) {
      return { status: 302, fields: withCookies([["Location", withReturn(filter, signIn(request), request)]]) };
    }
    const cookieFields = alwaysSetCookie ? withCookies([]) : [];
    if (reply.status === 401) {
      const asked = valuesOf("www-authenticate").map((value) => ["WWW-Authenticate", value] as const);
      return { status: 401, fields: [...asked, ...cookieFields] };
    }
    if (reply.status === 403) return { status: 403, fields: cookieFields };
    return { status: 500, reason: `the authenticator ${filter.host} answered ${reply.status}` };
  };
}

/** The place to sign in, told where to come back to unless it says so itself. */
function withReturn({ signInParameter = "rd" }: ExternalAuth, url: string, request: FilteredRequest): string {
  const mark = url.indexOf("?");
  const query = mark === -1 ? "" : url.slice(mark + 1);
  if (query.split("&").some((pair) => pair.startsWith(`${signInParameter}=`))) return url;
  const scheme = request.secure ? "https" : "http";
  const back = `${signInParameter}=${scheme}://${request.authority}${encodeURIComponent(request.target)}`;
  return `${url}${mark === -1 ? "?" : "&"}${back}`;
}

/** For how many milliseconds a reply may be used again. */
function cacheableFor({ cache }: ExternalAuth, { status, fields }: Reply): number {
  const forbids = ([name, value]: readonly [string, string]) =>
    name === "set-cookie" || (name === "cache-control" && /no-cache|no-store|private/i.test(value));
  const size = fields.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (cache === undefined || size > mostCachedBytes || fields.some(forbids)) return 0;
  return cache.valid.find(({ statuses }) => statuses.includes(status))?.ms ?? 0;
}
