/** A kind that is only ever POSTed, to be answered at once; nothing of it is stored. */
export interface ReviewForm {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  /** The message of `schema/` that describes it. */
  readonly schema: string;
}

function form(group: "authentication" | "authorization", kind: string): ReviewForm {
  const singular = kind.toLowerCase();
  return {
    group: `${group}.k8s.io`,
    version: "v1",
    kind,
    plural: `${singular}s`,
    singular,
    namespaced: kind.startsWith("Local"),
    schema: `${group}.v1.${kind}`,
  };
}

/** Every review the API answers, in the order of discovery. */
export const reviewForms = [
  form("authentication", "SelfSubjectReview"),
  form("authentication", "TokenReview"),
  form("authorization", "LocalSubjectAccessReview"),
  form("authorization", "SelfSubjectAccessReview"),
  form("authorization", "SelfSubjectRulesReview"),
  form("authorization", "SubjectAccessReview"),
];
