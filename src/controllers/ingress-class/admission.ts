import type { Admission } from "#api/admission.ts";
import type { Ingress } from "#api/networking/ingress/kind.ts";
import type { IngressClass } from "#api/networking/ingressclass/kind.ts";

const defaultClassAnnotation = "ingressclass.kubernetes.io/is-default-class";
const legacyClassAnnotation = "kubernetes.io/ingress.class";

/** The class a new Ingress gets when it names none: of several marked ones the newest, then the first by name. */
export function compileDefaultClass(classes: readonly IngressClass[]): IngressClass | undefined {
  const [first] = classes
    .filter(({ metadata }) => metadata.annotations?.[defaultClassAnnotation] === "true")
    .sort(
      (a, b) =>
        (b.metadata.creationTimestamp ?? "").localeCompare(a.metadata.creationTimestamp ?? "") ||
        (a.metadata.name < b.metadata.name ? -1 : 1),
    );
  return first;
}

/**
 * Fills `spec.ingressClassName` of a new Ingress that names no class, by field or by the old annotation
 * (`plugin/pkg/admission/network/defaultingressclass`). `listClasses` answers the current IngressClasses.
 */
export function createIngressClassAdmission(options: {
  listClasses: () => readonly IngressClass[] | Promise<readonly IngressClass[]>;
}): Admission {
  return {
    name: "ingress-class",
    kinds: ["Ingress"],
    async admit({ operation, object, subresource }) {
      const ingress = object as Ingress;
      if (operation !== "CREATE" || subresource !== undefined) return;
      if (ingress.spec.ingressClassName !== undefined) return;
      if (ingress.metadata.annotations?.[legacyClassAnnotation] !== undefined) return;
      const chosen = compileDefaultClass(await options.listClasses());
      if (chosen !== undefined) ingress.spec.ingressClassName = chosen.metadata.name;
    },
  };
}
