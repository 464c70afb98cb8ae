import { parseAddress } from "#base/cidr.ts";
import { validateBalancerEntry } from "../../core/service/validate-status.ts";
import type { FieldError } from "../../meta/field-error.ts";
import { invalids, invalidValue, required } from "../../meta/field-errors.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import { checkSubdomain, checkWildcard } from "../../meta/names.ts";
import type { Ingress, IngressRule, IngressSpec } from "./kind.ts";
import { validateBackend } from "./validate-backend.ts";
import { validatePath } from "./validate-path.ts";

export const classAnnotation = "kubernetes.io/ingress.class";

/** The rules of upstream's `ValidateIngressSpec`, in its order. */
export function validateIngress(ingress: Ingress): FieldError[] {
  const entries = ingress.status?.loadBalancer?.ingress ?? [];
  return [
    ...validateMetadata(ingress, true),
    ...validateSpec(ingress.spec),
    ...entries.flatMap((entry, index) => validateBalancerEntry(entry, `status.loadBalancer.ingress[${index}]`)),
  ];
}

/** The annotation and the field may both name the class of a new Ingress only when they agree. */
export function validateNewIngress({ metadata, spec }: Ingress): FieldError[] {
  const annotated = metadata.annotations?.[classAnnotation];
  if (annotated === undefined || spec.ingressClassName === undefined || annotated === spec.ingressClassName) return [];
  const detail = "must match `ingressClassName` when both are specified";
  return [invalidValue(`annotations.${classAnnotation}`, annotated, detail)];
}

export function validateIngressUpdate(next: Ingress, before: Ingress): FieldError[] {
  return validateMetadataUpdate(next, before);
}

/** Texts for `Warning:` headers. */
export function warnAboutIngress({ metadata, spec }: Ingress, before?: Ingress): string[] {
  const onlyAnnotated = metadata.annotations?.[classAnnotation] !== undefined && spec.ingressClassName === undefined;
  if (before !== undefined || !onlyAnnotated) return [];
  return [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`];
}

function validateSpec(spec: IngressSpec): FieldError[] {
  const errors: FieldError[] = [];
  const { rules = [], defaultBackend, ingressClassName, tls = [] } = spec;
  if (rules.length === 0 && defaultBackend === undefined) {
    errors.push(invalidValue("spec", null, "either `defaultBackend` or `rules` must be specified"));
  }
  if (defaultBackend !== undefined) errors.push(...validateBackend(defaultBackend, "spec.defaultBackend"));
  if (ingressClassName !== undefined) {
    errors.push(...invalids("spec.ingressClassName", ingressClassName, checkSubdomain(ingressClassName)));
  }
  errors.push(...rules.flatMap((rule, index) => validateRule(rule, `spec.rules[${index}]`)));
  for (const [index, { hosts = [], secretName }] of tls.entries()) {
    const path = `spec.tls[${index}]`;
    errors.push(...hosts.flatMap((host, at) => validateHost(host, `${path}.hosts[${at}]`)));
    if (secretName) errors.push(...invalids(`${path}.secretName`, secretName, checkSubdomain(secretName)));
  }
  return errors;
}

function validateRule({ host, http }: IngressRule, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (host) {
    if (parseAddress(host) !== undefined) {
      errors.push(invalidValue(`${path}.host`, host, "must be a DNS name, not an IP address"));
    }
    errors.push(...validateHost(host, `${path}.host`));
  }
  if (http === undefined) return errors;
  const paths = http.paths ?? [];
  if (paths.length === 0) errors.push(required(`${path}.http.paths`));
  return [...errors, ...paths.flatMap((entry, index) => validatePath(entry, `${path}.http.paths[${index}]`))];
}

function validateHost(host: string, path: string): FieldError[] {
  return invalids(path, host, host.includes("*") ? checkWildcard(host) : checkSubdomain(host));
}
