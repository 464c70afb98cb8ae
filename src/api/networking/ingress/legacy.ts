import type { FieldError } from "../../meta/field-error.ts";
import type { KubeObject } from "../../meta/object.ts";
import type { Ingress, IngressBackend, IngressPath, IngressRule, IngressSpec } from "./kind.ts";

/** The form that `extensions/v1beta1` and `networking.k8s.io/v1beta1` share. */
export interface LegacyIngress extends KubeObject {
  spec?: Omit<IngressSpec, "defaultBackend" | "rules"> & { backend?: LegacyBackend; rules?: LegacyRule[] };
  status?: Ingress["status"];
}

interface LegacyRule {
  host?: string;
  http?: { paths: (Omit<IngressPath, "backend" | "pathType"> & { pathType?: string; backend: LegacyBackend })[] };
}

interface LegacyBackend {
  serviceName?: string;
  servicePort?: number | string;
  resource?: IngressBackend["resource"];
}

/** The stored form of a legacy Ingress. A path without a type gets the legacy groups' default. */
export function ingressFromLegacy(served: KubeObject): KubeObject {
  const { spec: { backend, rules, ...rest } = {}, ...object } = served as LegacyIngress;
  const spec: IngressSpec = { ...rest };
  if (backend !== undefined) spec.defaultBackend = backendFromLegacy(backend);
  if (rules !== undefined) spec.rules = rules.map((rule) => ruleFromLegacy(rule));
  return { ...object, apiVersion: "networking.k8s.io/v1", spec } as Ingress;
}

function ruleFromLegacy({ http, ...rest }: LegacyRule): IngressRule {
  if (http === undefined) return rest;
  const paths = (http.paths ?? []).map(({ backend, pathType, ...path }) => ({
    ...path,
    pathType: (pathType || "ImplementationSpecific") as IngressPath["pathType"],
    backend: backendFromLegacy(backend ?? {}),
  }));
  return { ...rest, http: { paths } };
}

function backendFromLegacy({ serviceName = "", servicePort, resource }: LegacyBackend): IngressBackend {
  const out: IngressBackend = resource === undefined ? {} : { resource };
  const hasPort = servicePort !== undefined && servicePort !== 0 && servicePort !== "";
  if (serviceName === "" && !hasPort) return resource === undefined ? { service: { name: "" } } : out;
  const port = typeof servicePort === "string" ? { name: servicePort } : { number: servicePort ?? 0 };
  return { ...out, service: hasPort ? { name: serviceName, port } : { name: serviceName } };
}

/** The legacy view of a stored Ingress, or of one that is not validated yet and may lack what every Ingress has. */
export function ingressToLegacy(stored: KubeObject, apiVersion: string): KubeObject {
  const { spec, ...object } = stored as Ingress;
  const { defaultBackend, rules, ...rest } = spec ?? {};
  const served: NonNullable<LegacyIngress["spec"]> = { ...rest };
  if (defaultBackend !== undefined) served.backend = backendToLegacy(defaultBackend);
  if (rules !== undefined) served.rules = rules.map((rule) => ruleToLegacy(rule));
  return { ...object, apiVersion, spec: served } as LegacyIngress;
}

function ruleToLegacy({ http, ...rest }: IngressRule): LegacyRule {
  if (http === undefined) return rest;
  const paths = (http.paths ?? []).map((path) => ({ ...path, backend: backendToLegacy(path.backend ?? {}) }));
  return { ...rest, http: { paths } };
}

function backendToLegacy({ service, resource }: IngressBackend): LegacyBackend {
  const servicePort = service?.port?.name || service?.port?.number || 0;
  return {
    ...(service === undefined ? {} : { serviceName: service.name }),
    servicePort,
    ...(resource === undefined ? {} : { resource }),
  };
}

/** An error about the stored form, in the fields of the legacy groups. */
export function errorToLegacy(error: FieldError): FieldError {
  const path = error.path
    .replace(/^spec\.defaultBackend/, "spec.backend")
    .replace(/(ackend)\.service\.name$/, "$1.serviceName")
    .replace(/(ackend)\.service\.port\.(name|number)$/, "$1.servicePort");
  return { ...error, path, detail: error.detail.replace("`defaultBackend`", "`backend`") };
}
