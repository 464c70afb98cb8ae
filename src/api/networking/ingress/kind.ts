import type { LoadBalancerStatus } from "../../core/service/kind.ts";
import type { ObjectMeta } from "../../meta/object.ts";

/** The stored form. The legacy groups `extensions/v1beta1` and `networking.k8s.io/v1beta1` are views of it. */
export interface Ingress {
  apiVersion: "networking.k8s.io/v1";
  kind: "Ingress";
  metadata: ObjectMeta;
  spec: IngressSpec;
  status?: { loadBalancer?: LoadBalancerStatus };
}

export interface IngressSpec {
  ingressClassName?: string;
  defaultBackend?: IngressBackend;
  rules?: IngressRule[];
  tls?: { hosts?: string[]; secretName?: string }[];
}

export interface IngressRule {
  host?: string;
  http?: { paths: IngressPath[] };
}

export type PathType = "Exact" | "Prefix" | "ImplementationSpecific";

export interface IngressPath {
  path?: string;
  pathType: PathType;
  backend: IngressBackend;
}

export interface IngressBackend {
  service?: { name: string; port?: { name?: string; number?: number } };
  resource?: { apiGroup?: string; kind: string; name: string };
}
