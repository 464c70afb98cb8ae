import type { FieldError } from "../../meta/field-error.ts";
import { forbidden, invalids, invalidValue, notSupported, required, unlessOneOf } from "../../meta/field-errors.ts";
import { validateLabels, validateMetadata } from "../../meta/metadata.ts";
import { checkLabel, checkQualifiedName, checkSubdomain } from "../../meta/names.ts";
import { isReachableFromOutside } from "./defaults.ts";
import type { Service, ServiceSpec } from "./kind.ts";
import { needsHealthCheckPort } from "./prepare.ts";
import { validateAddresses, validateExternalIps, validateSourceRanges } from "./validate-addresses.ts";
import { validatePorts } from "./validate-ports.ts";
import { validateServiceStatus } from "./validate-status.ts";

const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"] as const;
/** One day (upstream: `MaxClientIPServiceAffinitySeconds`). */
const longestAffinity = 86_400;
const hintsMode = "service.kubernetes.io/topology-mode";
const hintsModeBefore = "service.kubernetes.io/topology-aware-hints";

/** The rules of upstream's `ValidateService`, in its order, for an object that has its defaults. */
export function validateService(service: Service): FieldError[] {
  const { spec } = service;
  return [
    ...validateMetadata(service, true, checkLabel),
    ...validateByType(spec),
    ...validatePorts(spec),
    ...validateLabels(spec.selector, "spec.selector"),
    ...validateAffinity(spec),
    ...validateAddresses(spec),
    ...validateExternalIps(spec),
    ...(spec.type ? unlessOneOf("spec.type", spec.type, types) : [required("spec.type")]),
    ...validateSourceRanges(service),
    ...validateLoadBalancer(spec),
    ...validatePolicies(spec),
    ...validateTopology(service),
    ...validateServiceStatus(service),
  ];
}

export function isHeadless({ clusterIP, clusterIPs }: ServiceSpec): boolean {
  return clusterIP === "None" || clusterIPs?.[0] === "None";
}

function validateByType(spec: ServiceSpec): FieldError[] {
  const headless = isHeadless(spec);
  const errors: FieldError[] = [];
  const needsPorts = !headless && spec.type !== "ExternalName";
  if (needsPorts && (spec.ports ?? []).length === 0) errors.push(required("spec.ports"));
  switch (spec.type) {
    case "LoadBalancer":
    case "NodePort":
      if (headless) {
        const detail = `may not be set to 'None' for ${spec.type} services`;
        errors.push(invalidValue("spec.clusterIPs[0]", "None", detail));
      }
      break;
    case "ExternalName": {
      const name = (spec.externalName ?? "").replace(/\.$/, "");
      if (name === "") errors.push(required("spec.externalName"));
      else errors.push(...invalids("spec.externalName", spec.externalName, checkSubdomain(name)));
      break;
    }
    default:
  }
  return errors;
}

function validateAffinity({ sessionAffinity, sessionAffinityConfig }: ServiceSpec): FieldError[] {
  const path = "spec.sessionAffinity";
  if (!sessionAffinity) return [required(path)];
  const wrong = unlessOneOf(path, sessionAffinity, ["ClientIP", "None"]);
  if (wrong.length > 0) return wrong;
  if (sessionAffinity === "None") {
    if (sessionAffinityConfig === undefined) return [];
    return [forbidden("spec.sessionAffinityConfig", "must not be set when session affinity is None")];
  }
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
  const secondsPath = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
  if (seconds === undefined) return [required(secondsPath, "when session affinity is ClientIP")];
  if (seconds > 0 && seconds <= longestAffinity) return [];
  return [invalidValue(secondsPath, seconds, `must be greater than 0 and less than ${longestAffinity}`)];
}

function validateLoadBalancer(spec: ServiceSpec): FieldError[] {
  const only = "may only be used when `type` is 'LoadBalancer'";
  const isBalanced = spec.type === "LoadBalancer";
  const errors: FieldError[] = [];
  const nodePorts = "spec.allocateLoadBalancerNodePorts";
  if (isBalanced && spec.allocateLoadBalancerNodePorts === undefined) errors.push(required(nodePorts));
  if (!isBalanced && spec.allocateLoadBalancerNodePorts !== undefined) errors.push(forbidden(nodePorts, only));
  if (spec.loadBalancerClass === undefined) return errors;
  if (!isBalanced) return [...errors, forbidden("spec.loadBalancerClass", only)];
  const wrong = checkQualifiedName(spec.loadBalancerClass);
  return [...errors, ...invalids("spec.loadBalancerClass", spec.loadBalancerClass, wrong)];
}

function validatePolicies(spec: ServiceSpec): FieldError[] {
  const choices = ["Cluster", "Local"];
  const errors: FieldError[] = [];
  const external = "spec.externalTrafficPolicy";
  if (!isReachableFromOutside(spec)) {
    if (spec.externalTrafficPolicy) {
      const detail = "may only be set for externally-accessible services";
      errors.push(invalidValue(external, spec.externalTrafficPolicy, detail));
    }
  } else if (!spec.externalTrafficPolicy) errors.push(required(external));
  else errors.push(...unlessOneOf(external, spec.externalTrafficPolicy, choices));

  if (spec.healthCheckNodePort && !needsHealthCheckPort(spec)) {
    const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(invalidValue("spec.healthCheckNodePort", spec.healthCheckNodePort, detail));
  }
  const internal = "spec.internalTrafficPolicy";
  if (spec.internalTrafficPolicy === undefined) {
    if (spec.type !== "ExternalName") errors.push(required(internal));
  } else if (!choices.includes(spec.internalTrafficPolicy)) {
    errors.push(notSupported(internal, spec.internalTrafficPolicy, choices));
  }
  return errors;
}

function validateTopology({ spec, metadata: { annotations = {} } }: Service): FieldError[] {
  const errors = unlessOneOf("spec.trafficDistribution", spec.trafficDistribution, [
    "PreferClose",
    "PreferSameNode",
    "PreferSameZone",
  ]);
  const [mode, before] = [annotations[hintsMode], annotations[hintsModeBefore]];
  if (mode !== undefined && before !== undefined && mode !== before) {
    const detail = `must match annotations[${hintsModeBefore}] when both are specified`;
    errors.push(invalidValue(`metadata.annotations[${hintsMode}]`, mode, detail));
  }
  return errors;
}
