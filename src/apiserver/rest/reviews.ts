import type { KubeObject } from "#api/meta/object.ts";
import { rfc3339 } from "#base/clock.ts";
import { readObject, type Expected } from "../http/decode.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendValue } from "../http/respond.ts";
import { checkKey } from "../registry/identity.ts";
import { reviewAccess, reviewRules } from "./access-review.ts";
import { renderUser } from "./render-user.ts";
import { reviewToken } from "./token-review.ts";

/** A question that is POSTed and answered at once; nothing is stored. */
export interface Review {
  readonly group: string;
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly expected: Expected;
  answer(exchange: Exchange, asked: Asked): Record<string, unknown>;
}

type Asked = KubeObject & { spec?: Record<string, unknown> };

function review(group: "authentication" | "authorization", kind: string, answer: Review["answer"]): Review {
  const singular = kind.toLowerCase();
  return {
    group: `${group}.k8s.io`,
    plural: `${singular}s`,
    singular,
    namespaced: kind.startsWith("Local"),
    expected: { apiVersion: `${group}.k8s.io/v1`, kind, schema: `${group}.v1.${kind}` },
    answer,
  };
}

export const reviews: readonly Review[] = [
  review("authentication", "SelfSubjectReview", ({ user }) => ({ status: { userInfo: renderUser(user) } })),
  review("authentication", "TokenReview", ({ parts }, { spec = {} }) => reviewToken(parts, spec)),
  review("authorization", "LocalSubjectAccessReview", ({ parts }, { kind, metadata, spec = {} }) =>
    reviewAccess(parts.authorizer, { kind, spec, namespace: metadata.namespace ?? "" }),
  ),
  review("authorization", "SelfSubjectAccessReview", ({ parts, user }, { kind, spec = {} }) =>
    reviewAccess(parts.authorizer, { kind, spec, self: user }),
  ),
  review("authorization", "SelfSubjectRulesReview", ({ parts, user }, { spec = {} }) =>
    reviewRules(parts.authorizer, user, spec),
  ),
  review("authorization", "SubjectAccessReview", ({ parts }, { kind, spec = {} }) =>
    reviewAccess(parts.authorizer, { kind, spec }),
  ),
];

export async function answerReview(exchange: Exchange, review: Review, namespace: string | undefined): Promise<void> {
  const { apiVersion, kind } = review.expected;
  const asked = await readObject(exchange, review.expected);
  checkKey(asked, namespace === undefined ? {} : { namespace });
  const metadata = {
    ...(namespace === undefined ? {} : { namespace }),
    creationTimestamp: rfc3339(exchange.parts.registry.clock.now()),
  };
  sendValue(exchange, 201, { kind, apiVersion, metadata, ...review.answer(exchange, asked) });
}
