import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { eventColumns } from "./columns.ts";
import type { Event } from "./kind.ts";
import { validateEvent, validateEventUpdate } from "./validate.ts";

export const eventKind = defineKind<Event>({
  resource: resources.Event,
  singular: "event",
  shortNames: ["ev"],
  categories: [],
  versions: [{ group: "", version: "v1", schema: "core.v1.Event" }],
  subresources: [],
  selectableFields: {
    "involvedObject.kind": ({ involvedObject }) => involvedObject.kind ?? "",
    "involvedObject.namespace": ({ involvedObject }) => involvedObject.namespace ?? "",
    "involvedObject.name": ({ involvedObject }) => involvedObject.name ?? "",
    "involvedObject.uid": ({ involvedObject }) => involvedObject.uid ?? "",
    "involvedObject.apiVersion": ({ involvedObject }) => involvedObject.apiVersion ?? "",
    "involvedObject.resourceVersion": ({ involvedObject }) => involvedObject.resourceVersion ?? "",
    "involvedObject.fieldPath": ({ involvedObject }) => involvedObject.fieldPath ?? "",
    reason: ({ reason }) => reason ?? "",
    reportingComponent: ({ reportingComponent }) => reportingComponent ?? "",
    source: ({ source, reportingComponent }) => source?.component || reportingComponent || "",
    type: ({ type }) => type ?? "",
  },
  hasGeneration: false,
  createOnUpdate: true,
  unconditionalUpdate: true,
  deleteReturnsObject: false,
  applyDefaults(event) {
    event.involvedObject ??= {};
  },
  validate: validateEvent,
  validateUpdate: validateEventUpdate,
  columns: eventColumns,
});
