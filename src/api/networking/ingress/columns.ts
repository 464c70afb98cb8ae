import type { Column } from "../../kind.ts";
import { ageColumn, nameColumn, textColumn } from "../../meta/columns.ts";
import type { Ingress } from "./kind.ts";

const shown = 3;

function hostsText({ spec: { rules = [] } }: Ingress): string {
  const hosts = rules
    .slice(0, shown)
    .map(({ host }) => host ?? "")
    .filter((host) => host !== "");
  if (hosts.length === 0) return "*";
  return `${hosts.join(",")}${rules.length > shown ? ` + ${rules.length - shown} more...` : ""}`;
}

function addressText({ status }: Ingress): string {
  const addresses = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "");
  return [...new Set(addresses.filter((address) => address !== ""))].sort().join(",");
}

export const ingressColumns: readonly Column<Ingress>[] = [
  nameColumn,
  textColumn("Class", ({ spec }) => spec.ingressClassName ?? "<none>"),
  textColumn("Hosts", hostsText),
  textColumn("Address", addressText),
  textColumn("Ports", ({ spec }) => (spec.tls?.length ? "80, 443" : "80")),
  ageColumn,
];
