import { parseCidr } from "#base/cidr.ts";
import { checkCidr } from "../../meta/addresses.ts";
import type { FieldError } from "../../meta/field-error.ts";
import {
  duplicate,
  forbidden,
  invalids,
  invalidValue,
  required,
  sameValue,
  unlessOneOf,
} from "../../meta/field-errors.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import { checkLabelValue, checkQualifiedName } from "../../meta/names.ts";
import type { Node, Taint } from "./kind.ts";

const effects = ["NoExecute", "NoSchedule", "PreferNoSchedule"] as const;

export function validateNode(node: Node): FieldError[] {
  return [
    ...validateMetadata(node, false),
    ...validateTaints(node.spec?.taints ?? []),
    ...validateRanges(node.spec?.podCIDRs ?? []),
  ];
}

function validateTaints(taints: readonly Taint[]): FieldError[] {
  const seen = new Set<string>();
  return taints.flatMap(({ key, value = "", effect }, index) => {
    const path = `spec.taints[${index}]`;
    const errors = invalids(`${path}.key`, key, checkQualifiedName(key ?? ""));
    errors.push(...invalids(`${path}.value`, value, checkLabelValue(value)));
    if (!effect) errors.push(required(`${path}.effect`));
    errors.push(...unlessOneOf(`${path}.effect`, effect, effects));
    const identity = `${key} ${effect}`;
    if (seen.has(identity)) errors.push(duplicate(path, { key, effect }));
    seen.add(identity);
    return errors;
  });
}

function validateRanges(ranges: readonly string[]): FieldError[] {
  const errors = ranges.flatMap((range, index) => invalids(`spec.podCIDRs[${index}]`, range, checkCidr(range)));
  const families = ranges.map((range) => parseCidr(range)?.family);
  if (ranges.length > 2 || new Set(families).size < families.length) {
    errors.push(invalidValue("spec.podCIDRs", ranges, "may specify no more than one CIDR for each IP family"));
  }
  return errors;
}

/** A node's ranges and its provider's name for it are given once. */
export function validateNodeUpdate(next: Node, before: Node): FieldError[] {
  const errors = validateMetadataUpdate(next, before);
  const [after, old] = [next.spec ?? {}, before.spec ?? {}];
  if ((old.podCIDRs ?? []).length > 0 && !sameValue(after.podCIDRs, old.podCIDRs)) {
    errors.push(forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid'));
  }
  if (old.providerID && after.providerID !== old.providerID) {
    errors.push(forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid'));
  }
  return errors;
}
