import type { ObjectMeta } from "../../meta/object.ts";

export interface IngressClass {
  apiVersion: "networking.k8s.io/v1";
  kind: "IngressClass";
  metadata: ObjectMeta;
  spec: {
    controller?: string;
    parameters?: { apiGroup?: string; kind: string; name: string; scope?: string; namespace?: string };
  };
}

/** Whether Ingresses that name no class belong to this one (`ingressclass.kubernetes.io/is-default-class`). */
export function isDefaultClass({ metadata }: IngressClass): boolean {
  return metadata.annotations?.["ingressclass.kubernetes.io/is-default-class"] === "true";
}
