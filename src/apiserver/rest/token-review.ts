import { ApiError } from "#api/meta/status.ts";
import type { Exchange } from "../http/exchange.ts";
import { renderUser } from "./render-user.ts";

/** Whose token this is: what programs ask that take tokens of this cluster themselves. */
export function reviewToken(
  { authenticate, accounts }: Exchange["parts"],
  spec: { token?: string; audiences?: string[] },
): Record<string, unknown> {
  if (!spec.token) throw new ApiError("BadRequest", "token is required for TokenReview in authentication");
  const asked = spec.audiences ?? [];
  const found = authenticate.token(spec.token, asked.length === 0 ? accounts.audiences : asked);
  if (found === undefined) return { spec, status: { user: {}, error: "invalid bearer token" } };
  return { spec, status: { authenticated: true, user: renderUser(found.user), audiences: found.audiences } };
}
