import type { IncomingMessage } from "node:http";
import type { UserInfo } from "#api/admission.ts";
import { ApiError } from "#api/meta/status.ts";

/**
 * The user as whom a request is to be treated: `Impersonate-User` and `Impersonate-Group` (kubectl's `--as`). Only an
 * administrator may act as another; throws `Forbidden` for everybody else, and never ignores the wish.
 */
export function actAs(user: UserInfo, { headers, headersDistinct }: IncomingMessage): UserInfo {
  const wished = Object.keys(headers).some((name) => name.startsWith("impersonate-"));
  if (!wished) return user;
  const name = headersDistinct["impersonate-user"]?.[0] ?? "";
  if (!user.groups.includes("system:masters")) {
    const what = `users "${name}" is forbidden: User "${user.name}" cannot impersonate resource "users"`;
    const details = { name, kind: "users" };
    throw new ApiError("Forbidden", `${what} in API group "" at the cluster scope`, details);
  }
  if (name === "")
    throw new ApiError("BadRequest", "Impersonate-User must name a user when another Impersonate header is set");
  const groups = headersDistinct["impersonate-group"] ?? [];
  return { name, groups: name === "system:anonymous" ? groups : [...groups, "system:authenticated"] };
}
