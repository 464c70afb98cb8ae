import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { nodeColumns } from "./columns.ts";
import { defaultNode } from "./defaults.ts";
import type { Node } from "./kind.ts";
import { validateNode, validateNodeUpdate } from "./validate.ts";

export const nodeKind = defineKind<Node>({
  resource: resources.Node,
  singular: "node",
  shortNames: ["no"],
  categories: [],
  versions: [{ group: "", version: "v1", schema: "core.v1.Node" }],
  subresources: ["status"],
  selectableFields: { "spec.unschedulable": ({ spec }) => String(spec?.unschedulable ?? false) },
  hasGeneration: false,
  createOnUpdate: false,
  unconditionalUpdate: true,
  deleteReturnsObject: false,
  applyDefaults: defaultNode,
  prepareUpdate(next, before) {
    next.status = before.status;
  },
  validate: validateNode,
  validateUpdate: validateNodeUpdate,
  columns: nodeColumns,
});
