import type { FieldError } from "../../meta/field-error.ts";
import { forbidden, immutable, invalids, required, tooLong, unlessOneOf } from "../../meta/field-errors.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import { checkDomainPath, checkSubdomain } from "../../meta/names.ts";
import type { IngressClass } from "./kind.ts";

const controllerLimit = 250;

export function validateIngressClass(ingressClass: IngressClass): FieldError[] {
  const { controller = "", parameters } = ingressClass.spec;
  const path = "spec.controller";
  return [
    ...validateMetadata(ingressClass, false),
    ...(controller.length > controllerLimit ? [tooLong(path, controllerLimit)] : []),
    ...(controller === "" ? [required(path)] : invalids(path, controller, checkDomainPath(controller))),
    ...(parameters === undefined ? [] : validateParameters(parameters)),
  ];
}

function validateParameters(parameters: NonNullable<IngressClass["spec"]["parameters"]>): FieldError[] {
  const { apiGroup, kind, name, scope, namespace } = parameters;
  const path = "spec.parameters";
  const errors: FieldError[] = [];
  if (apiGroup) errors.push(...invalids(`${path}.apiGroup`, apiGroup, checkSubdomain(apiGroup)));
  if (!kind) errors.push(required(`${path}.kind`));
  if (!name) errors.push(required(`${path}.name`));
  errors.push(...unlessOneOf(`${path}.scope`, scope, ["Cluster", "Namespace"]));
  if (scope === "Namespace" && !namespace) {
    errors.push(required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'"));
  }
  if (scope === "Cluster" && namespace) {
    errors.push(forbidden(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"));
  }
  return errors;
}

export function validateIngressClassUpdate(next: IngressClass, before: IngressClass): FieldError[] {
  return [
    ...validateMetadataUpdate(next, before),
    ...immutable("spec.controller", next.spec.controller, before.spec.controller),
  ];
}
