import type { Column } from "../../kind.ts";
import { ageColumn, nameColumn, textColumn, wideColumn } from "../../meta/columns.ts";
import { findCondition } from "../../meta/condition.ts";
import type { Node } from "./kind.ts";

const rolePrefix = "node-role.kubernetes.io/";

function statusText({ spec, status }: Node): string {
  const ready = findCondition(status?.conditions, "Ready");
  const state = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return spec?.unschedulable ? `${state},SchedulingDisabled` : state;
}

function rolesText({ metadata }: Node): string {
  const roles = new Set<string>();
  for (const [label, value] of Object.entries(metadata.labels ?? {})) {
    if (label.startsWith(rolePrefix) && label.length > rolePrefix.length) roles.add(label.slice(rolePrefix.length));
    else if (label === "kubernetes.io/role" && value !== "") roles.add(value);
  }
  return roles.size === 0 ? "<none>" : [...roles].sort().join(",");
}

function addressText({ status }: Node, type: string): string {
  return status?.addresses?.find((address) => address.type === type)?.address ?? "<none>";
}

function kernelText({ status }: Node): string {
  const { kernelVersion, architecture } = status?.nodeInfo ?? {};
  if (!kernelVersion) return "<unknown>";
  return architecture ? `${kernelVersion} (${architecture})` : kernelVersion;
}

export const nodeColumns: readonly Column<Node>[] = [
  nameColumn,
  textColumn("Status", statusText),
  textColumn("Roles", rolesText),
  ageColumn,
  textColumn("Version", ({ status }) => status?.nodeInfo?.kubeletVersion ?? ""),
  wideColumn("Internal-IP", (node) => addressText(node, "InternalIP")),
  wideColumn("External-IP", (node) => addressText(node, "ExternalIP")),
  wideColumn("OS-Image", ({ status }) => status?.nodeInfo?.osImage || "<unknown>"),
  wideColumn("Kernel-Version", kernelText),
  wideColumn("Container-Runtime", ({ status }) => status?.nodeInfo?.containerRuntimeVersion || "<unknown>"),
];
