import type { FieldError } from "./field-error.ts";
import { forbidden, invalids, invalidValue, notSupported, required } from "./field-errors.ts";
import { validateLabels } from "./metadata.ts";
import { checkLabelValue, checkQualifiedName } from "./names.ts";
import type { LabelSelector } from "./selector.ts";

/** The syntax of a structured selector (apimachinery's `ValidateLabelSelector`). */
export function validateSelector(selector: LabelSelector, path: string): FieldError[] {
  const errors = validateLabels(selector.matchLabels, `${path}.matchLabels`);
  for (const [index, { key, operator, values = [] }] of (selector.matchExpressions ?? []).entries()) {
    const at = `${path}.matchExpressions[${index}]`;
    if (operator === "In" || operator === "NotIn") {
      const detail = "must be specified when `operator` is 'In' or 'NotIn'";
      if (values.length === 0) errors.push(required(`${at}.values`, detail));
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      if (values.length > 0) errors.push(forbidden(`${at}.values`, detail));
    } else {
      errors.push(notSupported(`${at}.operator`, operator ?? "", ["DoesNotExist", "Exists", "In", "NotIn"]));
    }
    errors.push(...invalids(`${at}.key`, key ?? "", checkQualifiedName(key ?? "")));
    for (const [position, value] of values.entries()) {
      errors.push(...invalids(`${at}.values[${position}]`, value, checkLabelValue(value)));
    }
  }
  return errors;
}

export function isEmptySelector({ matchLabels, matchExpressions }: LabelSelector): boolean {
  return Object.keys(matchLabels ?? {}).length + (matchExpressions ?? []).length === 0;
}

/** The selector of a workload: it must be there, choose something, and choose what the template makes. */
export function validateWorkloadSelector(selector: LabelSelector | undefined, workload: string): FieldError[] {
  if (selector === undefined) return [required("spec.selector")];
  const errors = validateSelector(selector, "spec.selector");
  if (isEmptySelector(selector)) {
    errors.push(invalidValue("spec.selector", selector, `empty selector is invalid for ${workload}`));
  }
  return errors;
}
