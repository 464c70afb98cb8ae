import type { KindName } from "./types.ts";

/** Where a kind's stored form lives in the API: the path facts that every client needs. */
export interface Resource {
  readonly kind: KindName;
  readonly apiVersion: string;
  /** The plural of the path, e.g. `services`. */
  readonly plural: string;
  readonly namespaced: boolean;
}

/** Every served kind once; `kinds.ts` builds on the same facts. */
export const resources: { readonly [K in KindName]: Resource } = {
  Namespace: { kind: "Namespace", apiVersion: "v1", plural: "namespaces", namespaced: false },
  Node: { kind: "Node", apiVersion: "v1", plural: "nodes", namespaced: false },
  Pod: { kind: "Pod", apiVersion: "v1", plural: "pods", namespaced: true },
  Service: { kind: "Service", apiVersion: "v1", plural: "services", namespaced: true },
  Endpoints: { kind: "Endpoints", apiVersion: "v1", plural: "endpoints", namespaced: true },
  ConfigMap: { kind: "ConfigMap", apiVersion: "v1", plural: "configmaps", namespaced: true },
  Secret: { kind: "Secret", apiVersion: "v1", plural: "secrets", namespaced: true },
  ServiceAccount: { kind: "ServiceAccount", apiVersion: "v1", plural: "serviceaccounts", namespaced: true },
  Event: { kind: "Event", apiVersion: "v1", plural: "events", namespaced: true },
  Deployment: { kind: "Deployment", apiVersion: "apps/v1", plural: "deployments", namespaced: true },
  ReplicaSet: { kind: "ReplicaSet", apiVersion: "apps/v1", plural: "replicasets", namespaced: true },
  DaemonSet: { kind: "DaemonSet", apiVersion: "apps/v1", plural: "daemonsets", namespaced: true },
  ControllerRevision: {
    kind: "ControllerRevision",
    apiVersion: "apps/v1",
    plural: "controllerrevisions",
    namespaced: true,
  },
  EndpointSlice: {
    kind: "EndpointSlice",
    apiVersion: "discovery.k8s.io/v1",
    plural: "endpointslices",
    namespaced: true,
  },
  Ingress: { kind: "Ingress", apiVersion: "networking.k8s.io/v1", plural: "ingresses", namespaced: true },
  IngressClass: {
    kind: "IngressClass",
    apiVersion: "networking.k8s.io/v1",
    plural: "ingressclasses",
    namespaced: false,
  },
  ServiceCIDR: {
    kind: "ServiceCIDR",
    apiVersion: "networking.k8s.io/v1",
    plural: "servicecidrs",
    namespaced: false,
  },
  IPAddress: { kind: "IPAddress", apiVersion: "networking.k8s.io/v1", plural: "ipaddresses", namespaced: false },
  Lease: { kind: "Lease", apiVersion: "coordination.k8s.io/v1", plural: "leases", namespaced: true },
  Role: { kind: "Role", apiVersion: "rbac.authorization.k8s.io/v1", plural: "roles", namespaced: true },
  RoleBinding: {
    kind: "RoleBinding",
    apiVersion: "rbac.authorization.k8s.io/v1",
    plural: "rolebindings",
    namespaced: true,
  },
  ClusterRole: {
    kind: "ClusterRole",
    apiVersion: "rbac.authorization.k8s.io/v1",
    plural: "clusterroles",
    namespaced: false,
  },
  ClusterRoleBinding: {
    kind: "ClusterRoleBinding",
    apiVersion: "rbac.authorization.k8s.io/v1",
    plural: "clusterrolebindings",
    namespaced: false,
  },
  ValidatingWebhookConfiguration: {
    kind: "ValidatingWebhookConfiguration",
    apiVersion: "admissionregistration.k8s.io/v1",
    plural: "validatingwebhookconfigurations",
    namespaced: false,
  },
};

/** `/api/v1/namespaces/dev/services/web/status`, with every part optional from the namespace on. */
export function resourcePath(
  { apiVersion, plural, namespaced }: Resource,
  { namespace, name, subresource }: { namespace?: string; name?: string; subresource?: string } = {},
): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  const tail = name === undefined ? "" : `/${encodeURIComponent(name)}${subresource ? `/${subresource}` : ""}`;
  return `${root}${scope}/${plural}${tail}`;
}
