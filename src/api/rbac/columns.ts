import type { Column } from "../kind.ts";
import { ageColumn, nameColumn, textColumn, wideColumn } from "../meta/columns.ts";
import type { KubeObject } from "../meta/object.ts";
import type { BindingFields, Subject } from "./binding.ts";

/** Roles have no printer of their own upstream: the name, and when it was made. */
export const roleColumns: readonly Column<KubeObject>[] = [
  nameColumn,
  {
    name: "Created At",
    type: "date",
    priority: 0,
    description: "When the object was created.",
    cell: ({ metadata }) => metadata.creationTimestamp ?? "",
  },
];

const namesOf = (kind: Subject["kind"], nameOf: (subject: Subject) => string) => {
  return ({ subjects = [] }: BindingFields) =>
    subjects
      .filter((subject) => subject.kind === kind)
      .map((subject) => nameOf(subject))
      .join(", ");
};

export const bindingColumns: readonly Column<KubeObject & BindingFields>[] = [
  nameColumn,
  textColumn("Role", ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
  ageColumn,
  wideColumn(
    "Users",
    namesOf("User", ({ name }) => name),
  ),
  wideColumn(
    "Groups",
    namesOf("Group", ({ name }) => name),
  ),
  wideColumn(
    "ServiceAccounts",
    namesOf("ServiceAccount", ({ namespace = "", name }) => `${namespace}/${name}`),
  ),
];
