import type { UserInfo } from "#api/admission.ts";
import type { FieldError } from "#api/meta/field-error.ts";
import { invalidValue } from "#api/meta/field-errors.ts";
import { ApiError, invalid } from "#api/meta/status.ts";
import type { Attributes } from "../auth/attributes.ts";
import type { Authorizer } from "../auth/authorize.ts";
import { nodeOf } from "../auth/node/identity.ts";

/** The `spec` of a SubjectAccessReview; one about oneself names nobody. */
export interface AccessSpec {
  resourceAttributes?: Partial<Record<"verb" | "group" | "resource" | "subresource" | "namespace" | "name", string>>;
  nonResourceAttributes?: { verb?: string; path?: string };
  user?: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
}

export interface AccessQuestion {
  readonly kind: string;
  readonly spec: AccessSpec;
  /** Who is asked about, where the spec does not say it. */
  readonly self?: UserInfo;
  /** The namespace of the path, for the review that lies in one. */
  readonly namespace?: string;
}

/** Whether somebody may do something. Throws `Invalid` for what is no question (upstream: `pkg/apis/authorization/validation`). */
export function reviewAccess(authorizer: Authorizer, question: AccessQuestion): Record<string, unknown> {
  const { kind, spec, self } = question;
  const errors = validateAccess(question);
  if (errors.length > 0) throw invalid(kind, "authorization.k8s.io", "", errors);
  const user = self ?? userOf(spec);
  const asked = attributesOf(spec);
  const decision = authorizer.authorize(user, asked);
  const reason = authorizer.reasonOf(decision, user, asked);
  return { spec, status: { allowed: decision.allowed, ...(reason === "" ? {} : { reason }) } };
}

function validateAccess({ spec, self, namespace }: AccessQuestion): FieldError[] {
  const { resourceAttributes, nonResourceAttributes } = spec;
  const errors: FieldError[] = [];
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    const detail = "cannot be specified in combination with resourceAttributes";
    errors.push(invalidValue("spec.nonResourceAttributes", nonResourceAttributes, detail));
  }
  if (resourceAttributes === undefined && nonResourceAttributes === undefined) {
    const detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    errors.push(invalidValue("spec.resourceAttributes", null, detail));
  }
  if (self === undefined && !spec.user && (spec.groups ?? []).length === 0) {
    errors.push(invalidValue("spec.user", "", "at least one of user or group must be specified"));
  }
  if (namespace === undefined) return errors;
  if (resourceAttributes !== undefined && (resourceAttributes.namespace ?? "") !== namespace) {
    const detail = "must match metadata.namespace";
    errors.push(invalidValue("spec.resourceAttributes.namespace", resourceAttributes.namespace ?? "", detail));
  }
  if (nonResourceAttributes !== undefined) {
    const detail = "disallowed on this kind of request";
    errors.push(invalidValue("spec.nonResourceAttributes", nonResourceAttributes, detail));
  }
  return errors;
}

function userOf({ user = "", uid, groups = [], extra }: AccessSpec): UserInfo {
  return { name: user, groups, ...(uid === undefined ? {} : { uid }), ...(extra === undefined ? {} : { extra }) };
}

function attributesOf({ resourceAttributes, nonResourceAttributes }: AccessSpec): Attributes {
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

/** All that a user may do in a namespace: `kubectl auth can-i --list`. */
export function reviewRules(
  authorizer: Authorizer,
  user: UserInfo,
  spec: { namespace?: string },
): Record<string, unknown> {
  if (!spec.namespace) throw new ApiError("BadRequest", "no namespace on request");
  const rules = authorizer.rulesFor(user, spec.namespace).map(({ rule }) => rule);
  const isPath = ({ nonResourceURLs = [] }: (typeof rules)[number]) => nonResourceURLs.length > 0;
  return {
    spec,
    status: {
      resourceRules: rules.filter((rule) => !isPath(rule)),
      nonResourceRules: rules.filter((rule) => isPath(rule)),
      ...(nodeOf(user) === undefined
        ? { incomplete: false }
        : { incomplete: true, evaluationError: "node authorizer does not support user rule resolution" }),
    },
  };
}
