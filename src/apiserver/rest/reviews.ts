import { apiVersionOf } from "#api/kinds.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { reviewForms, type ReviewForm } from "#api/review-forms.ts";
import { rfc3339 } from "#base/clock.ts";
import { readObject, type Expected } from "../http/decode.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendValue } from "../http/respond.ts";
import { checkKey } from "../registry/identity.ts";
import { reviewAccess, reviewRules } from "./access-review.ts";
import { renderUser } from "./render-user.ts";
import { reviewToken } from "./token-review.ts";

/** A question that is POSTed and answered at once; nothing is stored. */
export interface Review extends ReviewForm {
  readonly expected: Expected;
  answer(exchange: Exchange, asked: Asked): Record<string, unknown>;
}

type Asked = KubeObject & { spec?: Record<string, unknown> };

const answers: Readonly<Record<string, Review["answer"]>> = {
  SelfSubjectReview: ({ user }) => ({ status: { userInfo: renderUser(user) } }),
  TokenReview: ({ parts }, { spec = {} }) => reviewToken(parts, spec),
  LocalSubjectAccessReview: ({ parts }, { kind, metadata, spec = {} }) =>
    reviewAccess(parts.authorizer, { kind, spec, namespace: metadata.namespace ?? "" }),
  SelfSubjectAccessReview: ({ parts, user }, { kind, spec = {} }) =>
    reviewAccess(parts.authorizer, { kind, spec, self: user }),
  SelfSubjectRulesReview: ({ parts, user }, { spec = {} }) => reviewRules(parts.authorizer, user, spec),
  SubjectAccessReview: ({ parts }, { kind, spec = {} }) => reviewAccess(parts.authorizer, { kind, spec }),
};

export const reviews: readonly Review[] = reviewForms.flatMap((form) => {
  const answer = answers[form.kind];
  const expected = { apiVersion: apiVersionOf(form), kind: form.kind, schema: form.schema };
  return answer === undefined ? [] : [{ ...form, expected, answer }];
});

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
