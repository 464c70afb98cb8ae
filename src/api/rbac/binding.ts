import type { FieldError } from "../meta/field-error.ts";
import { invalids, invalidValue, notSupported, required, sameValue } from "../meta/field-errors.ts";
import { checkPathSegment, checkSubdomain } from "../meta/names.ts";

export const rbacGroup = "rbac.authorization.k8s.io";

/** Who is given a role. A ServiceAccount without a namespace is one of the binding's own. */
export interface Subject {
  kind: "User" | "Group" | "ServiceAccount";
  apiGroup?: string;
  name: string;
  namespace?: string;
}

/** The role that is given; fixed once the binding is made. */
export interface RoleRef {
  apiGroup: string;
  kind: "Role" | "ClusterRole";
  name: string;
}

/** What RoleBinding and ClusterRoleBinding share. */
export interface BindingFields {
  subjects?: Subject[];
  roleRef: RoleRef;
}

/** Fills the API groups (upstream: `pkg/apis/rbac/v1/defaults.go`). */
export function defaultBinding(binding: BindingFields): void {
  binding.roleRef ??= {} as RoleRef;
  binding.roleRef.apiGroup ||= rbacGroup;
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === "User" || subject.kind === "Group") subject.apiGroup ||= rbacGroup;
  }
}

/** Upstream: `pkg/apis/rbac/validation`. `roleKinds` are those that a binding of this kind may refer to. */
export function validateBinding(
  { roleRef, subjects = [] }: BindingFields,
  roleKinds: readonly string[],
  namespaced: boolean,
): FieldError[] {
  const { apiGroup, kind, name } = roleRef;
  const errors: FieldError[] = [];
  if (apiGroup !== rbacGroup) errors.push(notSupported("roleRef.apiGroup", apiGroup, [rbacGroup]));
  if (!roleKinds.includes(kind)) errors.push(notSupported("roleRef.kind", kind ?? "", roleKinds));
  if (!name) errors.push(required("roleRef.name"));
  else errors.push(...invalids("roleRef.name", name, checkPathSegment(name)));
  return [
    ...errors,
    ...subjects.flatMap((subject, index) => validateSubject(subject, namespaced, `subjects[${index}]`)),
  ];
}

function validateSubject(subject: Subject, namespaced: boolean, path: string): FieldError[] {
  const { kind, name, apiGroup = "", namespace = "" } = subject;
  const errors = !name ? [required(`${path}.name`)] : [];
  if (kind === "ServiceAccount") {
    if (name) errors.push(...invalids(`${path}.name`, name, checkSubdomain(name)));
    if (apiGroup !== "") errors.push(notSupported(`${path}.apiGroup`, apiGroup, [""]));
    if (!namespaced && namespace === "") errors.push(required(`${path}.namespace`));
  } else if (kind === "User" || kind === "Group") {
    if (apiGroup !== rbacGroup) errors.push(notSupported(`${path}.apiGroup`, apiGroup, [rbacGroup]));
  } else errors.push(notSupported(`${path}.kind`, kind ?? "", ["Group", "ServiceAccount", "User"]));
  return errors;
}

/** A binding gives the role it was made for, or is made anew. */
export function validateBindingUpdate(next: BindingFields, before: BindingFields): FieldError[] {
  if (sameValue(next.roleRef, before.roleRef)) return [];
  const { apiGroup, kind, name } = next.roleRef;
  return [invalidValue("roleRef", { apiGroup, kind, name }, "cannot change roleRef")];
}
