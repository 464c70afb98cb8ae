import type { FieldError } from "../../meta/field-error.ts";
import { forbidden, invalids, invalidValue, required } from "../../meta/field-errors.ts";
import { checkQualifiedName } from "../../meta/names.ts";

/** Which nodes a pod may run on; its other parts (towards other pods, preferences) have no effect here. */
export interface Affinity {
  nodeAffinity?: {
    requiredDuringSchedulingIgnoredDuringExecution?: NodeSelector;
    preferredDuringSchedulingIgnoredDuringExecution?: unknown[];
  };
  podAffinity?: unknown;
  podAntiAffinity?: unknown;
}

/** One of the terms must hold, and of a term everything; a term that asks for nothing holds nowhere. */
export interface NodeSelector {
  nodeSelectorTerms?: NodeSelectorTerm[];
}

export interface NodeSelectorTerm {
  /** Of the node's labels. */
  matchExpressions?: NodeSelectorRequirement[];
  /** Of the node's fields; `metadata.name` is the only one. */
  matchFields?: NodeSelectorRequirement[];
}

export interface NodeSelectorRequirement {
  key: string;
  operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
  values?: string[];
}

/** The rules of upstream's `ValidateNodeSelector` for the nodes that a pod requires. */
export function validateAffinity(affinity: Affinity | undefined, podPath: string): FieldError[] {
  const selector = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (selector === undefined) return [];
  const path = `${podPath}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
  const terms = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0) return [required(path, "must have at least one node selector term")];
  return terms.flatMap(({ matchExpressions = [], matchFields = [] }, index) => [
    ...matchExpressions.flatMap((each, at) => validateExpression(each, `${path}[${index}].matchExpressions[${at}]`)),
    ...matchFields.flatMap((each, at) => validateField(each, `${path}[${index}].matchFields[${at}]`)),
  ]);
}

function validateExpression({ key, operator, values = [] }: NodeSelectorRequirement, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const valuesPath = `${path}.values`;
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) errors.push(required(valuesPath, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
    if (values.length > 0) errors.push(forbidden(valuesPath, detail));
  } else if (operator === "Gt" || operator === "Lt") {
    const detail = "must be specified single value when `operator` is 'Lt' or 'Gt'";
    if (values.length !== 1) errors.push(required(valuesPath, detail));
  } else errors.push(invalidValue(`${path}.operator`, operator ?? "", "not a valid selector operator"));
  return [...errors, ...invalids(`${path}.key`, key ?? "", checkQualifiedName(key ?? ""))];
}

function validateField({ key, operator, values = [] }: NodeSelectorRequirement, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (operator !== "In" && operator !== "NotIn") {
    errors.push(invalidValue(`${path}.operator`, operator ?? "", "not a valid selector operator"));
  } else if (values.length !== 1) {
    const detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(required(`${path}.values`, detail));
  }
  if (key !== "metadata.name") errors.push(invalidValue(`${path}.key`, key ?? "", "not a valid field selector key"));
  return errors;
}
