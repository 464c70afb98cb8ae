import { defineKind } from "../../kind.ts";
import { ageColumn, nameColumn, numberColumn, textColumn } from "../../meta/columns.ts";
import type { FieldError } from "../../meta/field-error.ts";
import { immutable, required, unlessNatural } from "../../meta/field-errors.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import { controllerOf } from "../../meta/object.ts";
import { resources } from "../../resources.ts";
import type { ControllerRevision } from "./kind.ts";

function validate(revision: ControllerRevision): FieldError[] {
  return [
    ...validateMetadata(revision, true),
    ...(revision.data === undefined ? [required("data", "data is mandatory")] : []),
    ...unlessNatural("revision", revision.revision),
  ];
}

/** `daemonset.apps/web` of whoever the revision is of. */
function controllerText(revision: ControllerRevision): string {
  const owner = controllerOf(revision);
  if (owner === undefined) return "<none>";
  const [group = "", version] = owner.apiVersion.split("/");
  const kind = owner.kind.toLowerCase();
  return version === undefined ? `${kind}/${owner.name}` : `${kind}.${group}/${owner.name}`;
}

export const controllerRevisionKind = defineKind<ControllerRevision>({
  resource: resources.ControllerRevision,
  singular: "controllerrevision",
  shortNames: [],
  categories: [],
  versions: [{ group: "apps", version: "v1", schema: "apps.v1.ControllerRevision" }],
  subresources: [],
  selectableFields: {},
  hasGeneration: false,
  createOnUpdate: false,
  unconditionalUpdate: true,
  deleteReturnsObject: false,
  applyDefaults(revision) {
    revision.revision ??= 0;
  },
  validate,
  validateUpdate: (next, before) => [
    ...validateMetadataUpdate(next, before),
    ...immutable("data", next.data, before.data),
  ],
  columns: [
    nameColumn,
    textColumn("Controller", controllerText),
    numberColumn("Revision", ({ revision }) => revision),
    ageColumn,
  ],
});
