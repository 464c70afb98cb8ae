import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { leaseColumns } from "./columns.ts";
import type { Lease } from "./kind.ts";
import { validateLease, validateLeaseUpdate } from "./validate.ts";

export const leaseKind = defineKind<Lease>({
  resource: resources.Lease,
  singular: "lease",
  shortNames: [],
  categories: [],
  versions: [{ group: "coordination.k8s.io", version: "v1", schema: "coordination.v1.Lease" }],
  subresources: [],
  selectableFields: {},
  hasGeneration: false,
  createOnUpdate: true,
  unconditionalUpdate: false,
  deleteReturnsObject: false,
  applyDefaults(lease) {
    lease.spec ??= {};
  },
  validate: validateLease,
  validateUpdate: validateLeaseUpdate,
  columns: leaseColumns,
});
