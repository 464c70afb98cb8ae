import { clipped } from "../../core/endpoints/columns.ts";
import type { Column } from "../../kind.ts";
import { ageColumn, nameColumn, textColumn } from "../../meta/columns.ts";
import type { EndpointSlice } from "./kind.ts";

function portsText({ ports = [] }: EndpointSlice): string {
  return clipped(ports.map(({ port, name }) => (port === undefined ? name || "*" : String(port)))) || "<unset>";
}

function endpointsText({ endpoints }: EndpointSlice): string {
  return clipped((endpoints ?? []).flatMap(({ addresses }) => addresses ?? [])) || "<unset>";
}

export const endpointSliceColumns: readonly Column<EndpointSlice>[] = [
  nameColumn,
  textColumn("AddressType", ({ addressType }) => addressType),
  textColumn("Ports", portsText),
  textColumn("Endpoints", endpointsText),
  ageColumn,
];
