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
