import type { Column } from "../../kind.ts";
import { ageColumn, nameColumn, pairsText, textColumn, wideColumn } from "../../meta/columns.ts";
import type { Service, ServicePort } from "./kind.ts";

function externalText({ spec, status }: Service): string {
  const outside = spec.externalIPs ?? [];
  switch (spec.type) {
    case "ClusterIP":
    case "NodePort":
      return outside.length === 0 ? "<none>" : outside.join(",");
    case "LoadBalancer": {
      const entries = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "");
      const addresses = [...new Set(entries.filter((entry) => entry !== ""))].sort();
      return [...addresses, ...outside].join(",") || "<pending>";
    }
    case "ExternalName":
      return spec.externalName ?? "";
    default:
      return "<unknown>";
  }
}

function portText({ port, nodePort, protocol }: ServicePort): string {
  return nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`;
}

export const serviceColumns: readonly Column<Service>[] = [
  nameColumn,
  textColumn("Type", ({ spec }) => spec.type ?? ""),
  textColumn("Cluster-IP", ({ spec }) => spec.clusterIPs?.[0] || spec.clusterIP || "<none>"),
  textColumn("External-IP", externalText),
  textColumn("Port(s)", ({ spec }) => (spec.ports ?? []).map((port) => portText(port)).join(",") || "<none>"),
  ageColumn,
  wideColumn("Selector", ({ spec }) => pairsText(spec.selector)),
];
