import type { ValidatingWebhookConfiguration } from "./admissionregistration/validatingwebhookconfiguration/kind.ts";
import type { ControllerRevision } from "./apps/controllerrevision/kind.ts";
import type { DaemonSet } from "./apps/daemonset/kind.ts";
import type { Deployment } from "./apps/deployment/kind.ts";
import type { ReplicaSet } from "./apps/replicaset/kind.ts";
import type { Lease } from "./coordination/lease/kind.ts";
import type { ConfigMap } from "./core/configmap/kind.ts";
import type { Endpoints } from "./core/endpoints/kind.ts";
import type { Event } from "./core/event/kind.ts";
import type { Namespace } from "./core/namespace/kind.ts";
import type { Node } from "./core/node/kind.ts";
import type { Pod } from "./core/pod/kind.ts";
import type { Secret } from "./core/secret/kind.ts";
import type { Service } from "./core/service/kind.ts";
import type { ServiceAccount } from "./core/serviceaccount/kind.ts";
import type { EndpointSlice } from "./discovery/endpointslice/kind.ts";
import type { Ingress } from "./networking/ingress/kind.ts";
import type { IngressClass } from "./networking/ingressclass/kind.ts";
import type { IPAddress } from "./networking/ipaddress/kind.ts";
import type { ServiceCIDR } from "./networking/servicecidr/kind.ts";
import type { ClusterRole } from "./rbac/clusterrole/kind.ts";
import type { ClusterRoleBinding } from "./rbac/clusterrolebinding/kind.ts";
import type { Role } from "./rbac/role/kind.ts";
import type { RoleBinding } from "./rbac/rolebinding/kind.ts";

/** The kinds of the API in their stored form, by kind name: what clients are typed with. */
export interface KindTypes {
  ClusterRole: ClusterRole;
  ClusterRoleBinding: ClusterRoleBinding;
  ConfigMap: ConfigMap;
  ControllerRevision: ControllerRevision;
  DaemonSet: DaemonSet;
  Deployment: Deployment;
  EndpointSlice: EndpointSlice;
  Endpoints: Endpoints;
  Event: Event;
  Ingress: Ingress;
  IngressClass: IngressClass;
  IPAddress: IPAddress;
  Lease: Lease;
  Namespace: Namespace;
  Node: Node;
  Pod: Pod;
  ReplicaSet: ReplicaSet;
  Role: Role;
  RoleBinding: RoleBinding;
  Secret: Secret;
  Service: Service;
  ServiceAccount: ServiceAccount;
  ServiceCIDR: ServiceCIDR;
  ValidatingWebhookConfiguration: ValidatingWebhookConfiguration;
}

export type KindName = keyof KindTypes;
