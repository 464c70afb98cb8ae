import type { FieldError } from "../../meta/field-error.ts";
import { forbidden, invalidValue } from "../../meta/field-errors.ts";
import { validateMetadataUpdate } from "../../meta/metadata.ts";
import type { Service, ServiceSpec } from "./kind.ts";
import { needsHealthCheckPort } from "./prepare.ts";
import { isHeadless } from "./validate.ts";

/** What may not change while a Service keeps its addresses (upstream: `ValidateServiceUpdate`). */
export function validateServiceUpdate(next: Service, before: Service): FieldError[] {
  return [
    ...validateMetadataUpdate(next, before),
    ...validateSameAddresses(next.spec, before.spec),
    ...validateSameFamilies(next.spec, before.spec),
    ...validateSameClass(next.spec, before.spec),
    ...validateSameHealthCheck(next.spec, before.spec),
  ];
}

function bothHaveAddresses(next: ServiceSpec, before: ServiceSpec): boolean {
  return next.type !== "ExternalName" && before.type !== "ExternalName";
}

function validateSameAddresses(next: ServiceSpec, before: ServiceSpec): FieldError[] {
  const [after = [], old = []] = [next.clusterIPs, before.clusterIPs];
  if (!bothHaveAddresses(next, before) || old[0] === undefined) return [];
  const path = "spec.clusterIPs[0]";
  if (after[0] === undefined) return [invalidValue(path, after, "primary clusterIP can not be unset")];
  if (after[0] !== old[0]) return [invalidValue(path, after, "may not change once set")];
  if (after[1] !== undefined && old[1] !== undefined && after[1] !== old[1]) {
    return [invalidValue("spec.clusterIPs[1]", after, "may not change once set")];
  }
  if (old.length > 1 && after.length === 1 && next.ipFamilyPolicy !== "SingleStack") {
    const detail = "must be set to 'SingleStack' when releasing the secondary clusterIP";
    return [invalidValue("spec.ipFamilyPolicy", next.ipFamilyPolicy, detail)];
  }
  return [];
}

function validateSameFamilies(next: ServiceSpec, before: ServiceSpec): FieldError[] {
  const [after = [], old = []] = [next.ipFamilies, before.ipFamilies];
  // A headless Service has no addresses, so its families are free to change.
  if (!bothHaveAddresses(next, before) || old[0] === undefined || isHeadless(next)) return [];
  const path = "spec.ipFamilies[0]";
  if (after[0] === undefined) return [invalidValue(path, after, "primary ipFamily can not be unset")];
  if (after[0] !== old[0]) return [invalidValue(path, after, "may not change once set")];
  if (old.length > 1 && after.length === 1 && next.ipFamilyPolicy !== "SingleStack") {
    const detail = "must be set to 'SingleStack' when releasing the secondary ipFamily";
    return [invalidValue("spec.ipFamilyPolicy", next.ipFamilyPolicy, detail)];
  }
  return [];
}

function validateSameClass(next: ServiceSpec, before: ServiceSpec): FieldError[] {
  const both = next.type === "LoadBalancer" && before.type === "LoadBalancer";
  if (!both || next.loadBalancerClass === before.loadBalancerClass) return [];
  return [invalidValue("spec.loadBalancerClass", next.loadBalancerClass ?? null, "may not change once set")];
}

function validateSameHealthCheck(next: ServiceSpec, before: ServiceSpec): FieldError[] {
  if (!needsHealthCheckPort(next) || !needsHealthCheckPort(before)) return [];
  if (!before.healthCheckNodePort || next.healthCheckNodePort === before.healthCheckNodePort) return [];
  return [forbidden("spec.healthCheckNodePort", "field is immutable")];
}
