import type { IngressClass } from "#api/networking/ingressclass/kind.ts";

/** What a Fairlead IngressClass has in `spec.controller`. */
export const controllerName = "fairlead.dev/ingress";

/** Controllers whose Ingresses Fairlead takes over, so that existing manifests work unchanged. */
export const acceptedControllers: readonly string[] = [
  controllerName,
  "k8s.io/ingress-nginx",
  "traefik.io/ingress-controller",
];

/** Values of the annotation `kubernetes.io/ingress.class` that Fairlead takes over. */
export const acceptedClasses: readonly string[] = ["fairlead", "nginx", "traefik"];

/** The IngressClass for the composition to create; `isDefault` makes it the class of Ingresses that name none. */
export function ingressClassManifest(name = "fairlead", isDefault = false): IngressClass {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "IngressClass",
    metadata: {
      name,
      labels: { "app.kubernetes.io/managed-by": "fairlead" },
      ...(isDefault ? { annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } } : {}),
    },
    spec: { controller: controllerName },
  };
}
