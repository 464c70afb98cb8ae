import type { EndpointSlice } from "./kind.ts";

export function defaultEndpointSlice(slice: EndpointSlice): void {
  slice.endpoints ??= [];
  for (const endpoint of slice.endpoints) {
    endpoint.addresses ??= [];
    endpoint.conditions ??= {};
  }
  for (const port of slice.ports ?? []) {
    port.name ??= "";
    port.protocol ||= "TCP";
  }
}
