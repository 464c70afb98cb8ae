import type { GroupEntry, ResourceEntry } from "./model.ts";
import { groupVersionOf } from "./model.ts";

/** `/api`: the versions of the core group. */
export function renderApiVersions(address: string): object {
  const serverAddressByClientCIDRs = [{ clientCIDR: "0.0.0.0/0", serverAddress: address }];
  return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs };
}

/** `/apis` */
export function renderGroupList(groups: readonly GroupEntry[]): object {
  const others = groups.filter(({ group }) => group !== "");
  return { kind: "APIGroupList", apiVersion: "v1", groups: others.map((group) => groupFields(group)) };
}

/** `/apis/GROUP` */
export function renderGroup(group: GroupEntry): object {
  return { kind: "APIGroup", apiVersion: "v1", ...groupFields(group) };
}

function groupFields({ group, versions }: GroupEntry): { name: string; versions: object[]; preferredVersion: object } {
  const list = versions.map(({ version }) => ({ groupVersion: groupVersionOf(group, version), version }));
  return { name: group, versions: list, preferredVersion: list[0] ?? {} };
}

/** `/api/v1`, `/apis/GROUP/VERSION` */
export function renderResourceList(groupVersion: string, resources: readonly ResourceEntry[]): object {
  return {
    kind: "APIResourceList",
    ...(groupVersion === "v1" ? {} : { apiVersion: "v1" }),
    groupVersion,
    resources: resources.flatMap((entry) => [resourceFields(entry), ...subresourceFields(entry)]),
  };
}

function resourceFields(entry: ResourceEntry): object {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories, storageVersionHash } = entry;
  return {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(storageVersionHash === undefined ? {} : { storageVersionHash }),
  };
}

function subresourceFields({ plural, namespaced, subresources }: ResourceEntry): object[] {
  return subresources.map(({ name, verbs, kind, group, version }) => ({
    name: `${plural}/${name}`,
    singularName: "",
    namespaced,
    ...(group === undefined ? {} : { group, version }),
    kind,
    verbs,
  }));
}

/** `/api` and `/apis` in one document each, as clients from 1.27 on ask: `apidiscovery.k8s.io/v2` or its beta. */
export function renderAggregated(groups: readonly GroupEntry[], version: "v2" | "v2beta1"): object {
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ group, versions }) => ({
      metadata: { ...(group === "" ? {} : { name: group }), creationTimestamp: null },
      versions: versions.map(({ version, resources }) => ({
        version,
        freshness: "Current",
        resources: resources.map((entry) => aggregatedEntry(entry, group, version)),
      })),
    })),
  };
}

function aggregatedEntry(entry: ResourceEntry, group: string, version: string): object {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories, subresources } = entry;
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? "Namespaced" : "Cluster",
    singularResource: singular,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(subresources.length === 0
      ? {}
      : {
          subresources: subresources.map((sub) => ({
            subresource: sub.name,
            responseKind: { group: sub.group ?? group, version: sub.version ?? version, kind: sub.kind },
            verbs: sub.verbs,
          })),
        }),
  };
}
