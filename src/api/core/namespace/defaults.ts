import type { Namespace } from "./kind.ts";

/** Every namespace can be selected by its name (`kubernetes.io/metadata.name`, well-known labels of Kubernetes). */
export function defaultNamespace(namespace: Namespace): void {
  if (namespace.metadata.name) {
    namespace.metadata.labels = {
      ...namespace.metadata.labels,
      "kubernetes.io/metadata.name": namespace.metadata.name,
    };
  }
  namespace.spec ??= {};
  namespace.status ??= {};
  namespace.status.phase ||= "Active";
}

/** A new namespace is active, and held until its contents are gone. */
export function prepareNewNamespace(namespace: Namespace): void {
  const others = (namespace.spec?.finalizers ?? []).filter((name) => name !== "kubernetes");
  namespace.spec = { ...namespace.spec, finalizers: [...others, "kubernetes"] };
  namespace.status = { phase: "Active" };
}
