import type { Node } from "#api/core/node/kind.ts";
import type { NodeSelectorRequirement, NodeSelectorTerm } from "#api/core/pod/affinity.ts";
import type { PodSpec } from "#api/core/pod/kind.ts";
import { matchesPairs, meets } from "#api/meta/selector.ts";

/** Whether a pod's `nodeSelector` and required node affinity let it onto a node (upstream's `GetRequiredNodeAffinity`). */
export function fitsNode({ nodeSelector = {}, affinity }: PodSpec, { metadata }: Node): boolean {
  if (!matchesPairs(nodeSelector, metadata.labels)) return false;
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (required === undefined) return true;
  return (required.nodeSelectorTerms ?? []).some((term) => holds(term, metadata));
}

function holds(
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm,
  { name, labels = {} }: Node["metadata"],
): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  return (
    matchExpressions.every((requirement) => meetsNode(requirement, labels[requirement.key])) &&
    matchFields.every((requirement) => meetsNode(requirement, requirement.key === "metadata.name" ? name : undefined))
  );
}

/** `value`: what the node has under the requirement's key. */
function meetsNode({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case "Gt":
      return isInteger(value) && isInteger(values[0]) && Number(value) > Number(values[0]);
    case "Lt":
      return isInteger(value) && isInteger(values[0]) && Number(value) < Number(values[0]);
    default:
      return meets(operator, values, value);
  }
}

function isInteger(text: string | undefined): boolean {
  return text !== undefined && /^-?\d+$/.test(text);
}
