import type { KubeObject } from "#api/meta/object.ts";
import { invalid } from "#api/meta/status.ts";
import { rfc3339 } from "#base/clock.ts";
import { authorize, rulesOf, type Attributes } from "../auth/authorize.ts";
import { readObject, type Expected } from "../http/decode.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendValue } from "../http/respond.ts";

/** A question that is POSTed and answered at once; nothing is stored. */
export interface Review {
  readonly group: string;
  readonly plural: string;
  readonly singular: string;
  readonly expected: Expected;
  answer(exchange: Exchange, asked: KubeObject & { spec?: Record<string, unknown> }): Record<string, unknown>;
}

export const reviews: readonly Review[] = [
  {
    group: "authentication.k8s.io",
    plural: "selfsubjectreviews",
    singular: "selfsubjectreview",
    expected: {
      apiVersion: "authentication.k8s.io/v1",
      kind: "SelfSubjectReview",
      schema: "authentication.v1.SelfSubjectReview",
    },
    answer: ({ user }) => ({ status: { userInfo: { username: user.name, groups: user.groups } } }),
  },
  {
    group: "authorization.k8s.io",
    plural: "selfsubjectaccessreviews",
    singular: "selfsubjectaccessreview",
    expected: {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      schema: "authorization.v1.SelfSubjectAccessReview",
    },
    answer({ user }, { spec = {} }) {
      const { allowed, reason } = authorize(user, attributesOf(spec));
      return { spec, status: { allowed, ...(reason === "" ? {} : { reason }) } };
    },
  },
  {
    group: "authorization.k8s.io",
    plural: "selfsubjectrulesreviews",
    singular: "selfsubjectrulesreview",
    expected: {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectRulesReview",
      schema: "authorization.v1.SelfSubjectRulesReview",
    },
    answer: ({ user }, { spec = {} }) => ({ spec, status: rulesStatus(user) }),
  },
];

export async function answerReview(exchange: Exchange, review: Review): Promise<void> {
  const { apiVersion, kind } = review.expected;
  const asked = await readObject(exchange, review.expected);
  const metadata = { creationTimestamp: rfc3339(exchange.parts.registry.clock.now()) };
  sendValue(exchange, 201, { kind, apiVersion, metadata, ...review.answer(exchange, asked) });
}

function attributesOf(spec: Record<string, unknown>): Attributes {
  const { resourceAttributes, nonResourceAttributes } = spec as {
    resourceAttributes?: Partial<Record<"verb" | "group" | "resource" | "subresource" | "namespace" | "name", string>>;
    nonResourceAttributes?: { verb?: string; path?: string };
  };
  if ((resourceAttributes === undefined) === (nonResourceAttributes === undefined)) {
    const detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    const error = {
      type: "Invalid",
      path: "spec.resourceAttributes",
      value: resourceAttributes ?? null,
      detail,
    } as const;
    throw invalid("SelfSubjectAccessReview", "authorization.k8s.io", "", [error]);
  }
  if (nonResourceAttributes !== undefined) {
    return { verb: nonResourceAttributes.verb ?? "", path: nonResourceAttributes.path ?? "" };
  }
  const { verb = "", group = "", resource = "", subresource, namespace, name } = resourceAttributes ?? {};
  return {
    verb,
    group,
    resource,
    ...(subresource ? { subresource } : {}),
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
  };
}

function rulesStatus(user: Exchange["user"]): object {
  const everything = user.groups.includes("system:masters");
  const own = rulesOf(user).map(({ verbs, group, resources }) => ({ verbs, apiGroups: [group], resources }));
  const paths = [
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
    "/healthz",
    "/livez",
    "/openapi",
    "/openapi/*",
    "/readyz",
    "/version",
  ];
  return {
    resourceRules: everything ? [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }, ...own] : own,
    nonResourceRules: everything
      ? [{ verbs: ["*"], nonResourceURLs: ["*"] }]
      : [{ verbs: ["get"], nonResourceURLs: paths }],
    incomplete: false,
  };
}
