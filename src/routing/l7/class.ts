import type { Ingress } from "#api/networking/ingress/kind.ts";
import type { IngressClass } from "#api/networking/ingressclass/kind.ts";
import type { IngressCompilerOptions } from "./table.ts";

/** The annotation that named a class before `spec.ingressClassName` existed. */
export const legacyClassAnnotation = "kubernetes.io/ingress.class";

/**
 * Whether an Ingress is ours, as ingress-nginx decides: `spec.ingressClassName` first (its class must exist and name one
 * of our controllers), else the legacy annotation, else the option for Ingresses that name no class. Returns
 * `undefined` when it is ours and otherwise one sentence with the reason.
 */
export function whyNotOurs(
  ingress: Ingress,
  classOf: (name: string) => IngressClass | undefined,
  options: Pick<IngressCompilerOptions, "controllers" | "legacyClasses" | "watchWithoutClass">,
): string | undefined {
  const name = ingress.spec?.ingressClassName;
  if (name !== undefined && name !== "") {
    const found = classOf(name);
    if (found === undefined) return `spec.ingressClassName is "${name}" and no IngressClass has this name`;
    const controller = found.spec?.controller ?? "";
    return options.controllers.includes(controller)
      ? undefined
      : `IngressClass "${name}" belongs to the controller "${controller}"`;
  }
  const legacy = ingress.metadata.annotations?.[legacyClassAnnotation];
  if (legacy !== undefined && legacy !== "") {
    return options.legacyClasses.includes(legacy) ? undefined : `${legacyClassAnnotation} is "${legacy}"`;
  }
  return options.watchWithoutClass ? undefined : "it names no class";
}
