import type { IncomingMessage } from "node:http";
import type { UserInfo } from "#api/admission.ts";
import { ApiError } from "#api/meta/status.ts";
import { accountGroups, parseAccountUser } from "./account-user.ts";
import type { ResourceAttributes } from "./attributes.ts";
import { anonymous, everybody, nobody } from "./authenticate.ts";
import { demand, type Authorizer } from "./authorize.ts";

const extraPrefix = "impersonate-extra-";

/**
 * The user as whom a request is to be treated: `Impersonate-User`, `-Group`, `-Uid` and `-Extra-…` (kubectl's `--as`).
 * For each of them the verb `impersonate` is needed (upstream: `apiserver/pkg/endpoints/filters/impersonation.go`);
 * throws `Forbidden` without it, and never ignores the wish.
 */
export function actAs(authorizer: Authorizer, user: UserInfo, request: IncomingMessage): UserInfo {
  const wished = Object.keys(request.headers).filter((name) => name.startsWith("impersonate-"));
  if (wished.length === 0) return user;
  // Looked at only now: it is made when it is asked for.
  const { headersDistinct } = request;
  const name = headersDistinct["impersonate-user"]?.[0] ?? "";
  if (name === "")
    throw new ApiError("BadRequest", "Impersonate-User must name a user when another Impersonate header is set");
  const unknown = wished.find((header) => !known.has(header) && !header.startsWith(extraPrefix));
  if (unknown !== undefined) throw new ApiError("BadRequest", `there is no header ${unknown}`);
  const ask = (asked: Omit<ResourceAttributes, "verb">) => demand(authorizer, user, { verb: "impersonate", ...asked });

  const account = parseAccountUser(name);
  if (account === undefined) ask({ group: "", resource: "users", name });
  else ask({ group: "", resource: "serviceaccounts", ...account });
  const groups = headersDistinct["impersonate-group"] ?? [];
  for (const group of groups) ask({ group: "", resource: "groups", name: group });
  const uid = headersDistinct["impersonate-uid"]?.[0];
  if (uid !== undefined) ask({ group: authentication, resource: "uids", name: uid });
  const extra: Record<string, readonly string[]> = {};
  for (const header of wished.filter((other) => other.startsWith(extraPrefix))) {
    const key = decodeKey(header.slice(extraPrefix.length));
    const values = headersDistinct[header] ?? [];
    for (const value of values) {
      ask({ group: authentication, resource: "userextras", subresource: key, name: value });
    }
    Object.defineProperty(extra, key, { value: values, enumerable: true });
  }
  const own = groups.length > 0 || account === undefined ? groups : accountGroups(account.namespace);
  return {
    name,
    groups: withStanding(name, own),
    ...(uid === undefined ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

const authentication = "authentication.k8s.io";
const known = new Set(["impersonate-user", "impersonate-group", "impersonate-uid"]);

/** Whoever is named has signed in, unless it is the one who has not. */
function withStanding(name: string, groups: readonly string[]): readonly string[] {
  if (groups.includes(everybody) || groups.includes(nobody)) return groups;
  return [...groups, name === anonymous.name ? nobody : everybody];
}

function decodeKey(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ApiError("BadRequest", `Impersonate-Extra-${text} holds an invalid percent-encoding`);
  }
}
