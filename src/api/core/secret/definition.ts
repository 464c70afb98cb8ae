import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { secretColumns } from "./columns.ts";
import { defaultSecret } from "./defaults.ts";
import type { Secret } from "./kind.ts";
import { validateSecret, validateSecretUpdate } from "./validate.ts";

export const secretKind = defineKind<Secret>({
  resource: resources.Secret,
  singular: "secret",
  shortNames: [],
  categories: [],
  versions: [{ group: "", version: "v1", schema: "core.v1.Secret" }],
  subresources: [],
  selectableFields: { type: ({ type }) => type ?? "" },
  hasGeneration: false,
  createOnUpdate: false,
  unconditionalUpdate: true,
  deleteReturnsObject: false,
  applyDefaults: defaultSecret,
  prepareUpdate(next, before) {
    // A manifest without a type keeps the one the Secret has; defaulting cannot see that.
    if (next.type === "Opaque" && before.type !== undefined) next.type = before.type;
  },
  validate: validateSecret,
  validateUpdate: validateSecretUpdate,
  columns: secretColumns,
});
