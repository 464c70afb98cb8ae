import type { Container, Pod } from "#api/core/pod/kind.ts";
import { parseQuantity } from "#api/meta/quantity.ts";

/** What the downward API can tell beyond the object itself. */
export interface PodFacts {
  readonly podIp: string;
  readonly hostIp: string;
  /** Those of both families, where there are two: the texts of `podIPs` and `hostIPs`. */
  readonly podIps?: string;
  readonly hostIps?: string;
  readonly nodeName: string;
  /** Stands in for limits that are not set. */
  readonly allocatable: { readonly cpu: number; readonly memory: number };
}

/** The text of a `fieldRef`, or `undefined` for a path the downward API does not have. Pure. */
export function readField(pod: Pod, facts: PodFacts, path: string): string | undefined {
  const { metadata, spec } = pod;
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (subscript !== null) return metadata[subscript[1] as "labels" | "annotations"]?.[subscript[2] ?? ""] ?? "";
  switch (path) {
    case "metadata.name":
      return metadata.name;
    case "metadata.namespace":
      return metadata.namespace ?? "";
    case "metadata.uid":
      return metadata.uid ?? "";
    case "metadata.labels":
      return renderMap(metadata.labels);
    case "metadata.annotations":
      return renderMap(metadata.annotations);
    case "spec.nodeName":
      return facts.nodeName;
    case "spec.serviceAccountName":
      return spec.serviceAccountName ?? "default";
    case "status.hostIP":
      return facts.hostIp;
    case "status.hostIPs":
      return facts.hostIps ?? facts.hostIp;
    case "status.podIP":
      return facts.podIp;
    case "status.podIPs":
      return facts.podIps ?? facts.podIp;
    default:
      return undefined;
  }
}

function renderMap(map: Readonly<Record<string, string>> = {}): string {
  const keys = Object.keys(map).sort();
  return keys.map((key) => `${key}=${JSON.stringify(map[key])}`).join("\n");
}

/** The text of a `resourceFieldRef` (`limits.cpu`, …) in units of `divisor`, rounded up; `undefined` if unknown. Pure. */
export function readResource(
  container: Container,
  facts: PodFacts,
  { resource, divisor }: { resource: string; divisor?: string },
): string | undefined {
  const [kind, name] = resource.split(".") as ["limits" | "requests", string];
  if ((kind !== "limits" && kind !== "requests") || name === undefined) return undefined;
  const asked = container.resources?.[kind]?.[name];
  const fallback = kind === "limits" && (name === "cpu" || name === "memory") ? facts.allocatable[name] : 0;
  const amount = (asked === undefined ? undefined : parseQuantity(asked)) ?? fallback;
  const unit = divisor === undefined || divisor === "0" ? 1 : (parseQuantity(divisor) ?? 1);
  return String(Math.ceil(amount / unit - 1e-9));
}
