import type { UserInfo } from "#api/admission.ts";

/** A user as the `status` of a review shows one. */
export function renderUser({ name, uid, groups, extra }: UserInfo): Record<string, unknown> {
  return {
    username: name,
    ...(uid === undefined ? {} : { uid }),
    groups,
    ...(extra === undefined ? {} : { extra }),
  };
}
