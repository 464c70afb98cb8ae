import { parseAddress } from "#base/cidr.ts";
import type { EndpointSlice, SlicePort } from "#api/discovery/endpointslice/kind.ts";
import { sourceOf, type Source } from "../because.ts";

/** One ready address of a Service, with the label its DNS name starts with. */
export interface NamedEndpoint {
  readonly label: string;
  readonly address: string;
  readonly family: 4 | 6;
  /** Ports with a number; a slice without ports still has addresses. */
  readonly ports: readonly (SlicePort & { port: number })[];
  readonly source: Source;
}

/**
 * The ready endpoints of a Service's slices, each address once a slice, slices in order of their names. Ready is
 * `conditions.ready` other than false, as CoreDNS reads it; `serving` and `terminating` say nothing here.
 */
export function readyEndpoints(
  slices: readonly EndpointSlice[],
  { podNames = false, reasons = true }: { podNames?: boolean; reasons?: boolean } = {},
): NamedEndpoint[] {
  const found: NamedEndpoint[] = [];
  for (const slice of slices.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    const ports = (slice.ports ?? []).filter((port): port is SlicePort & { port: number } => port.port !== undefined);
    for (const [index, endpoint] of slice.endpoints.entries()) {
      if (endpoint.conditions?.ready === false) continue;
      const source = reasons ? sourceOf(slice, `endpoints[${index}]`) : unexplained;
      for (const address of endpoint.addresses) {
        const parsed = parseAddress(address);
        if (parsed === undefined) continue;
        const label = endpoint.hostname?.toLowerCase() || (podNames && podLabel(endpoint)) || dashedAddress(address);
        found.push({ label, address, family: parsed.family, ports, source });
      }
    }
  }
  return found;
}

const unexplained: Source = { kind: "EndpointSlice", name: "" };

/** The name of its pod, when that is one label of a name. */
function podLabel({ targetRef }: EndpointSlice["endpoints"][number]): string | undefined {
  const name = targetRef?.name ?? "";
  return /^[a-z0-9-]{1,63}$/.test(name) ? name : undefined;
}

/**
 * The name of an endpoint without a hostname: its address as written in the slice with dashes for dots and colons. The
 * specification leaves the form open; CoreDNS has this one, with a 0 behind an IPv6 text that ends in a colon.
 */
export function dashedAddress(address: string): string {
  const dashed = address.toLowerCase().replaceAll(/[.:]/g, "-");
  return address.endsWith(":") ? `${dashed}0` : dashed;
}

/** `4.3.2.1.in-addr.arpa`, or the 32 nibbles below `ip6.arpa` (RFC 1035 3.5, RFC 3596 2.5). */
export function reverseName(address: string): string | undefined {
  const parsed = parseAddress(address);
  if (parsed === undefined) return undefined;
  if (parsed.family === 4) return `${address.split(".").reverse().join(".")}.in-addr.arpa`;
  const nibbles = parsed.value.toString(16).padStart(32, "0");
  return `${nibbles.split("").reverse().join(".")}.ip6.arpa`;
}
