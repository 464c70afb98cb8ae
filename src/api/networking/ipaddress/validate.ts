import { checkCanonicalAddress } from "../../meta/addresses.ts";
import type { FieldError } from "../../meta/field-error.ts";
import { immutable, invalids, required } from "../../meta/field-errors.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import { checkPathSegment, checkSubdomain } from "../../meta/names.ts";
import type { IPAddress } from "./kind.ts";

export function validateIpAddress(address: IPAddress): FieldError[] {
  return [...validateMetadata(address, false, checkCanonicalAddress), ...validateParent(address.spec)];
}

/** The paths lack `parentRef`, as upstream's do. */
function validateParent({ parentRef }: IPAddress["spec"]): FieldError[] {
  if (parentRef === undefined) return [required("spec.parentRef")];
  const { group = "", resource = "", name = "", namespace = "" } = parentRef;
  const errors: FieldError[] = [];
  if (group !== "") errors.push(...invalids("spec.group", group, checkSubdomain(group)));
  if (resource === "") errors.push(required("spec.resource"));
  else errors.push(...invalids("spec.resource", resource, checkPathSegment(resource)));
  if (name === "") errors.push(required("spec.name"));
  else errors.push(...invalids("spec.name", name, checkPathSegment(name)));
  if (namespace !== "") errors.push(...invalids("spec.namespace", namespace, checkPathSegment(namespace)));
  return errors;
}

export function validateIpAddressUpdate(next: IPAddress, before: IPAddress): FieldError[] {
  return [
    ...validateMetadataUpdate(next, before),
    ...immutable("spec.parentRef", next.spec.parentRef, before.spec.parentRef),
  ];
}
