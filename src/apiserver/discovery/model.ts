import { createHash } from "node:crypto";
import { apiVersionOf, type ServedKind } from "#api/kinds.ts";
import type { Subresource } from "#api/kind.ts";
import { reviews } from "../rest/reviews.ts";

/** One line of a discovery document, in terms of which both its forms are written. */
export interface ResourceEntry {
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly SubresourceEntry[];
  readonly storageVersionHash?: string;
}

export interface SubresourceEntry {
  readonly name: string;
  readonly verbs: readonly string[];
  readonly kind: string;
  /** Set where the kind lives elsewhere. */
  readonly group?: string;
  readonly version?: string;
}

export interface GroupEntry {
  readonly group: string;
  readonly versions: readonly { readonly version: string; readonly resources: readonly ResourceEntry[] }[];
}

const allVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const connectVerbs = ["create", "get"];

const subresourceFacts: Readonly<Partial<Record<Subresource, Omit<SubresourceEntry, "name">>>> = {
  status: { verbs: ["get", "patch", "update"], kind: "" },
  finalize: { verbs: ["update"], kind: "" },
  scale: { verbs: ["get", "patch", "update"], kind: "Scale", group: "autoscaling", version: "v1" },
  log: { verbs: ["get"], kind: "" },
  exec: { verbs: connectVerbs, kind: "PodExecOptions" },
  attach: { verbs: connectVerbs, kind: "PodAttachOptions" },
  portforward: { verbs: connectVerbs, kind: "PodPortForwardOptions" },
  binding: { verbs: ["create"], kind: "Binding" },
  token: { verbs: ["create"], kind: "TokenRequest", group: "authentication.k8s.io", version: "v1" },
  eviction: { verbs: ["create"], kind: "Eviction", group: "policy", version: "v1" },
};

/** Every group and version with its resources, in the order that clients prefer; the core group is the empty string. */
export function compileDiscovery(served: readonly ServedKind[]): GroupEntry[] {
  const groups = new Map<string, Map<string, ResourceEntry[]>>();
  const add = (group: string, version: string, entry: ResourceEntry) => {
    const versions = groups.get(group) ?? new Map<string, ResourceEntry[]>();
    groups.set(group, versions);
    versions.set(version, [...(versions.get(version) ?? []), entry]);
  };
  for (const kind of served) add(kind.version.group, kind.version.version, entryOf(kind));
  for (const { group, plural, singular, namespaced, expected } of reviews) {
    const rest = { namespaced, verbs: ["create"], shortNames: [], categories: [], subresources: [] };
    add(group, "v1", { plural, singular, kind: expected.kind, ...rest });
  }
  return [...groups].map(([group, versions]) => ({
    group,
    versions: [...versions].map(([version, resources]) => ({ version, resources })),
  }));
}

function entryOf({ definition, version }: ServedKind): ResourceEntry {
  const { resource, singular, shortNames, categories, subresources } = definition;
  const { kind, plural, namespaced } = resource;
  const stored = definition.versions[0];
  const hashed = `${stored?.group}/${stored === undefined ? "" : stored.version}/${kind}`;
  return {
    plural,
    singular,
    namespaced,
    kind,
    verbs: kind === "Namespace" ? allVerbs.filter((verb) => verb !== "deletecollection") : allVerbs,
    shortNames: version.shortNames ?? shortNames,
    categories,
    subresources: subresources.flatMap((name) => {
      const facts = subresourceFacts[name];
      return facts === undefined ? [] : [{ ...facts, name, kind: facts.kind === "" ? kind : facts.kind }];
    }),
    storageVersionHash: createHash("sha256").update(hashed).digest().subarray(0, 8).toString("base64"),
  };
}

export function groupVersionOf(group: string, version: string): string {
  return apiVersionOf({ group, version });
}
