import type { FieldError } from "../meta/field-error.ts";
import { invalidValue, required } from "../meta/field-errors.ts";

/** What a role allows: verbs on resources, or verbs on paths that are no resources. `*` stands for everything. */
export interface PolicyRule {
  verbs?: string[];
  apiGroups?: string[];
  /** `pods`, `pods/log`; a star before the slash stands for any resource. */
  resources?: string[];
  /** Only objects of these names; absent or empty is all. */
  resourceNames?: string[];
  /** `/healthz`, `/apis/*`. */
  nonResourceURLs?: string[];
}

/** Upstream: `pkg/apis/rbac/validation`. Rules of a namespace cannot be about paths, which lie in none. */
export function validateRules(rules: readonly PolicyRule[], namespaced: boolean): FieldError[] {
  return rules.flatMap((rule, index) => validateRule(rule, namespaced, `rules[${index}]`));
}

function validateRule(rule: PolicyRule, namespaced: boolean, path: string): FieldError[] {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const errors = verbs.length === 0 ? [required(`${path}.verbs`, "verbs must contain at least one value")] : [];
  if (nonResourceURLs.length > 0) {
    const wrong = (detail: string) => invalidValue(`${path}.nonResourceURLs`, nonResourceURLs, detail);
    if (namespaced) errors.push(wrong("namespaced rules cannot apply to non-resource URLs"));
    if (apiGroups.length + resources.length + resourceNames.length > 0) {
      errors.push(wrong("rules cannot apply to both regular resources and non-resource URLs"));
    }
    return errors;
  }
  if (apiGroups.length === 0) {
    errors.push(required(`${path}.apiGroups`, "resource rules must supply at least one api group"));
  }
  if (resources.length === 0) {
    errors.push(required(`${path}.resources`, "resource rules must supply at least one resource"));
  }
  return errors;
}
