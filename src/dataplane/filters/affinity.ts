import { hash, randomBytes } from "node:crypto";
import type { Affinity } from "../table.ts";
import type { FilteredRequest, Guard, Server } from "./filter.ts";
import { cookieOf } from "./template.ts";

/** How often a key is drawn anew until it leads to the endpoint that serves already. */
const mostDraws = 1000;

/**
 * Keeps a client at its endpoint by a cookie `KEY|BACKEND`. `balanced`: the key is drawn, and hashing gives its endpoint,
 * so that few clients move when endpoints come and go. `persistent`: the key is the endpoint's, so that a client moves
 * only when its endpoint goes. Never refuses.
 */
export function compileAffinity(filter: Affinity): Guard {
  const isPersistent = filter.mode === "persistent";
  return (request) => {
    const mark = markOf(request.backend);
    const known = readKey(cookieOf(request, filter.cookie), mark);
    const drawn = randomBytes(16).toString("hex");
    const stays = known !== undefined && !filter.changeOnFailure;
    if (isPersistent) request.prefer(known === undefined ? {} : { endpoint: known, stays });
    else request.prefer({ hash: known ?? drawn, stays });
    request.atResponse(() => {
      const { servedBy } = request;
      if (servedBy === undefined) return;
      const isRight = isPersistent ? known === servedBy.key : known !== undefined && servedBy.isPreferred;
      if (isRight) return;
      const key = isPersistent ? servedBy.key : leadingTo(servedBy, drawn);
      request.responseEdits.add("Set-Cookie", cookieLine(filter, `${key}|${mark}`, request));
    });
    return undefined;
  };
}

const marks = new Map<string, string>();

/** What tells in a cookie which backend it is for; one text is hashed once. */
function markOf(backend: string): string {
  let mark = marks.get(backend);
  if (mark === undefined) {
    if (marks.size > 10_000) marks.clear();
    mark = hash("md5", backend, "hex");
    marks.set(backend, mark);
  }
  return mark;
}

/** The key of a cookie that this backend gave. */
function readKey(cookie: string | undefined, mark: string): string | undefined {
  const [, key, backend] = /^([0-9a-f]{32})\|([0-9a-f]{32})$/.exec(cookie ?? "") ?? [];
  return backend === mark ? key : undefined;
}

function leadingTo({ leadsHere }: Server, drawn: string): string {
  let key = drawn;
  for (let draw = 0; draw < mostDraws && !leadsHere(key); draw += 1) key = randomBytes(16).toString("hex");
  return key;
}

/** Attributes in nginx's order, the date in its form. */
function cookieLine(filter: Affinity, value: string, request: FilteredRequest): string {
  const { path, domain, expiresS, maxAgeS, sameSite } = filter;
  const parts = [`${filter.cookie}=${value}`];
  if (expiresS !== undefined) parts.push(`Expires=${dateOf(request.tools.clock.now() + expiresS * 1000)}`);
  if (maxAgeS !== undefined) parts.push(`Max-Age=${maxAgeS}`);
  if (domain !== undefined) parts.push(`Domain=${domain}`);
  parts.push(`Path=${path}`);
  if (request.secure || filter.secure) parts.push("Secure");
  parts.push("HttpOnly");
  const isUnderstood =
    sameSite !== "None" || !filter.conditionalSameSite || understandsNone(request.field("user-agent") ?? "");
  if (sameSite !== undefined && isUnderstood) parts.push(`SameSite=${sameSite}`);
  return parts.join("; ");
}

const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** `Mon, 02-Jan-06 15:04:05 GMT`. */
function dateOf(ms: number): string {
  const date = new Date(Math.min(ms, 8.64e15));
  const [, day, month, year = "", time] = date.toUTCString().split(" ");
  return `${(days[date.getUTCDay()] ?? "").slice(0, 3)}, ${day}-${month}-${year.slice(-2)} ${time} GMT`;
}

/** Browsers that take `SameSite=None` for `Strict`, or refuse the cookie. */
function understandsNone(userAgent: string): boolean {
  return !/Chrome\/[456]\d\.|\(iP.+; CPU .*OS 12[_\d]*.*\) AppleWebKit\/|\(Macintosh;.*Mac OS X 10_14[_\d]*.*\) AppleWebKit.*Version\/.*Safari/.test(
    userAgent,
  );
}
