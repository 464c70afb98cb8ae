import type { FieldError } from "../../meta/field-error.ts";
import { forbidden, invalidValue, sameValue } from "../../meta/field-errors.ts";
import { validateMetadataUpdate } from "../../meta/metadata.ts";
import type { Pod, PodSpec } from "./kind.ts";

const allowed =
  "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`," +
  "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)," +
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/**
 * A pod is what it was made as, but for its images, its deadline and more tolerations. A pod without a node may be given
 * one: upstream does this through `binding` alone.
 */
export function validatePodUpdate(next: Pod, before: Pod): FieldError[] {
  const errors = validateMetadataUpdate(next, before);
  const [after, old] = [next.spec, before.spec];
  if (after.containers.length !== old.containers.length) {
    return [...errors, forbidden("spec.containers", "pod updates may not add or remove containers")];
  }
  if (old.activeDeadlineSeconds !== undefined) {
    const path = "spec.activeDeadlineSeconds";
    const seconds = after.activeDeadlineSeconds;
    if (seconds === undefined) {
      errors.push(invalidValue(path, null, "must not update from a positive integer to nil value"));
    } else if (seconds > old.activeDeadlineSeconds) {
      const detail = "must be less than or equal to previous value";
      errors.push(invalidValue(path, seconds, detail));
    }
  }
  const kept = (old.tolerations ?? []).every((item) =>
    (after.tolerations ?? []).some((other) => sameValue(item, other)),
  );
  if (!kept)
    errors.push(forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"));
  if (!sameValue(fixedPart(after, old), fixedPart(old, old))) errors.push(forbidden("spec", allowed));
  return errors;
}

/** The spec with everything that may change taken from `old`. */
function fixedPart(spec: PodSpec, old: PodSpec): PodSpec {
  const images = (list: PodSpec["initContainers"], before: PodSpec["initContainers"]) =>
    (list ?? []).map((container, index) => ({ ...container, image: before?.[index]?.image ?? "" }));
  const { activeDeadlineSeconds: _deadline, tolerations: _tolerations, ...rest } = spec;
  return {
    ...rest,
    ...(old.nodeName ? {} : { nodeName: "" }),
    containers: images(spec.containers, old.containers),
    initContainers: images(spec.initContainers, old.initContainers),
  };
}
