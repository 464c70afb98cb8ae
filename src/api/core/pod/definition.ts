import { defineKind } from "../../kind.ts";
import { resources } from "../../resources.ts";
import { podColumns } from "./columns.ts";
import { defaultPod, prepareNewPod } from "./defaults.ts";
import type { Pod } from "./kind.ts";
import { validatePodUpdate } from "./validate-update.ts";
import { validatePod } from "./validate.ts";

export const podKind = defineKind<Pod>({
  resource: resources.Pod,
  singular: "pod",
  shortNames: ["po"],
  categories: ["all"],
  versions: [{ group: "", version: "v1", schema: "core.v1.Pod" }],
  subresources: ["status", "log", "exec", "attach", "portforward", "binding", "eviction"],
  selectableFields: {
    "spec.nodeName": ({ spec }) => spec.nodeName ?? "",
    "spec.host": ({ spec }) => spec.nodeName ?? "",
    "spec.restartPolicy": ({ spec }) => spec.restartPolicy ?? "",
    "spec.schedulerName": ({ spec }) => spec.schedulerName ?? "",
    "spec.serviceAccountName": ({ spec }) => spec.serviceAccountName ?? "",
    "spec.hostNetwork": ({ spec }) => String(spec.hostNetwork ?? false),
    "status.phase": ({ status }) => status?.phase ?? "",
    "status.podIP": ({ status }) => status?.podIP ?? "",
    "status.nominatedNodeName": () => "",
  },
  hasGeneration: true,
  createOnUpdate: false,
  unconditionalUpdate: true,
  deleteReturnsObject: true,
  gracePeriodSeconds({ spec, status }) {
    const runs = spec.nodeName && status?.phase !== "Succeeded" && status?.phase !== "Failed";
    return runs ? (spec.terminationGracePeriodSeconds ?? 30) : undefined;
  },
  applyDefaults: defaultPod,
  prepareCreate: prepareNewPod,
  prepareUpdate(next, before) {
    next.status = before.status;
  },
  validate: validatePod,
  validateUpdate: validatePodUpdate,
  columns: podColumns,
});
