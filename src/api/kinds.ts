import { validatingWebhookConfigurationKind } from "./admissionregistration/validatingwebhookconfiguration/definition.ts";
import { controllerRevisionKind } from "./apps/controllerrevision/definition.ts";
import { daemonSetKind } from "./apps/daemonset/definition.ts";
import { deploymentKind } from "./apps/deployment/definition.ts";
import { replicaSetKind } from "./apps/replicaset/definition.ts";
import { leaseKind } from "./coordination/lease/definition.ts";
import { configMapKind } from "./core/configmap/definition.ts";
import { endpointsKind } from "./core/endpoints/definition.ts";
import { eventKind } from "./core/event/definition.ts";
import { namespaceKind } from "./core/namespace/definition.ts";
import { nodeKind } from "./core/node/definition.ts";
import { podKind } from "./core/pod/definition.ts";
import { secretKind } from "./core/secret/definition.ts";
import { serviceKind } from "./core/service/definition.ts";
import { serviceAccountKind } from "./core/serviceaccount/definition.ts";
import { endpointSliceKind } from "./discovery/endpointslice/definition.ts";
import type { KindDefinition, ServedVersion } from "./kind.ts";
import { splitApiVersion } from "./meta/object.ts";
import { ingressKind } from "./networking/ingress/definition.ts";
import { ingressClassKind } from "./networking/ingressclass/definition.ts";
import { ipAddressKind } from "./networking/ipaddress/definition.ts";
import { serviceCidrKind } from "./networking/servicecidr/definition.ts";
import { clusterRoleKind } from "./rbac/clusterrole/definition.ts";
import { clusterRoleBindingKind } from "./rbac/clusterrolebinding/definition.ts";
import { roleKind } from "./rbac/role/definition.ts";
import { roleBindingKind } from "./rbac/rolebinding/definition.ts";
import type { KindName } from "./types.ts";

/**
 * Every kind the API serves. The order is that of discovery: where a short name or a kind stands in two groups, clients
 * take the group that comes first.
 */
export const kinds: readonly KindDefinition[] = [
  namespaceKind,
  nodeKind,
  podKind,
  serviceKind,
  endpointsKind,
  configMapKind,
  secretKind,
  serviceAccountKind,
  eventKind,
  deploymentKind,
  replicaSetKind,
  daemonSetKind,
  controllerRevisionKind,
  ingressKind,
  ingressClassKind,
  serviceCidrKind,
  ipAddressKind,
  endpointSliceKind,
  leaseKind,
  roleKind,
  roleBindingKind,
  clusterRoleKind,
  clusterRoleBindingKind,
  validatingWebhookConfigurationKind,
];

/** The groups of the API in the order of discovery. Legacy groups come last: clients prefer what they meet first. */
export const groups: readonly string[] = [
  "",
  "apps",
  "networking.k8s.io",
  "discovery.k8s.io",
  "coordination.k8s.io",
  "rbac.authorization.k8s.io",
  "admissionregistration.k8s.io",
  "extensions",
];

/** One kind as one of its groups and versions serves it. */
export interface ServedKind {
  readonly definition: KindDefinition;
  readonly version: ServedVersion;
}

/** Every kind in every version it is served in, in the order of discovery. */
export const servedKinds: readonly ServedKind[] = groups.flatMap((group) =>
  kinds.flatMap((definition) =>
    definition.versions.filter((version) => version.group === group).map((version) => ({ definition, version })),
  ),
);

const byName = new Map(kinds.map((definition) => [definition.resource.kind, definition]));
const byPath = new Map(
  servedKinds.map((served) => {
    const { definition, version } = served;
    return [`${version.group}/${version.version}/${definition.resource.plural}`, served];
  }),
);
const byGvk = new Map(
  servedKinds.map((served) => {
    const { definition, version } = served;
    return [`${version.group}/${version.version}/${definition.resource.kind}`, served];
  }),
);

export function kindByName(name: KindName): KindDefinition {
  const definition = byName.get(name);
  if (definition === undefined) throw new Error(`the list of kinds lacks ${name}`);
  return definition;
}

/** The kind behind a path such as `/apis/apps/v1/…/deployments`; the core group is the empty string. */
export function kindByPath(group: string, version: string, plural: string): ServedKind | undefined {
  return byPath.get(`${group}/${version}/${plural}`);
}

/** The kind an object says it is. */
export function kindByGvk(apiVersion: string, kind: string): ServedKind | undefined {
  const { group, version } = splitApiVersion(apiVersion);
  return byGvk.get(`${group}/${version}/${kind}`);
}

/** `apps/v1` of a served version. */
export function apiVersionOf({ group, version }: Pick<ServedVersion, "group" | "version">): string {
  return group === "" ? version : `${group}/${version}`;
}
