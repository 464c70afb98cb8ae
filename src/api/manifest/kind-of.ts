import { apiVersionOf, kindByGvk, servedKinds } from "../kinds.ts";
import { nearest } from "./nearest.ts";

export interface ManifestKind {
  readonly schema: string;
  /** `v1 Service`, for messages. */
  readonly title: string;
}

/** The kind a manifest names, or what is wrong with the names and what was probably meant. */
export function findKind(apiVersion: unknown, kind: unknown): ManifestKind | string {
  if (typeof kind !== "string" || kind === "") return "kind is missing";
  if (typeof apiVersion !== "string" || apiVersion === "") {
    const homes = homesOf(kind);
    return `apiVersion is missing${homes.length === 0 ? "" : `; ${kind} is in ${homes.join(" and in ")}`}`;
  }
  const served = kindByGvk(apiVersion, kind);
  if (served !== undefined) return { schema: served.version.schema, title: `${apiVersion} ${kind}` };
  return `no kind "${kind}" in ${apiVersion}${suggestion(apiVersion, kind)}`;
}

function suggestion(apiVersion: string, kind: string): string {
  const homes = homesOf(kind);
  if (homes.length > 0) return `; ${kind} is in ${homes.join(" and in ")}`;
  const near = nearest(kind, kindsOf(apiVersion));
  if (near !== undefined) return `; did you mean ${near}?`;
  const elsewhere = nearest(kind, new Set(servedKinds.map(({ definition }) => definition.resource.kind)));
  if (elsewhere !== undefined) return `; did you mean ${elsewhere} in ${homesOf(elsewhere).join(" or in ")}?`;
  const known = new Set(servedKinds.map(({ version }) => apiVersionOf(version)));
  if (known.has(apiVersion)) return `; it has ${kindsOf(apiVersion).join(", ")}`;
  return `; there is ${[...known].join(", ")}`;
}

/** The versions that serve a kind, the preferred one first; those that are on their way out only when nothing else is. */
function homesOf(kind: string): string[] {
  const homes = servedKinds.filter(({ definition }) => definition.resource.kind === kind);
  const current = homes.filter(({ version }) => version.toStored === undefined);
  return (current.length > 0 ? current : homes).map(({ version }) => apiVersionOf(version));
}

function kindsOf(apiVersion: string): string[] {
  const served = servedKinds.filter(({ version }) => apiVersionOf(version) === apiVersion);
  return served.map(({ definition }) => definition.resource.kind);
}
