import type { FieldError } from "../../meta/field-error.ts";
import {
  duplicate,
  invalids,
  invalidValue,
  notFound,
  notSupported,
  required,
  unlessOneOf,
} from "../../meta/field-errors.ts";
import { checkConfigKey, checkEnvName, checkLabel, checkPort, checkPortName } from "../../meta/names.ts";
import { parseQuantity } from "../../meta/quantity.ts";
import type { Container, EnvVar, PodSpec, VolumeMount } from "./kind.ts";
import { validateHook, validateProbes } from "./validate-probe.ts";

/** What the containers of one pod share: names and host ports must not meet. */
interface Shared {
  readonly names: Set<string>;
  readonly hostPorts: Set<string>;
  readonly volumes: ReadonlySet<string>;
  readonly hostNetwork: boolean;
}

export function validateContainers(spec: PodSpec, path: string): FieldError[] {
  const shared: Shared = {
    names: new Set(),
    hostPorts: new Set(),
    volumes: new Set((spec.volumes ?? []).map(({ name }) => name)),
    hostNetwork: spec.hostNetwork === true,
  };
  const errors: FieldError[] = [];
  if (spec.containers.length === 0) errors.push(required(`${path}.containers`));
  for (const [index, container] of spec.containers.entries()) {
    errors.push(...validateContainer(container, `${path}.containers[${index}]`, shared));
    if (container.restartPolicy !== undefined) {
      const detail = "may not be set for non-init containers";
      errors.push({ type: "Forbidden", path: `${path}.containers[${index}].restartPolicy`, detail });
    }
  }
  for (const [index, container] of (spec.initContainers ?? []).entries()) {
    // Init containers run one after the other, so each may use the host ports of all others.
    const own = { ...shared, hostPorts: new Set<string>() };
    errors.push(...validateContainer(container, `${path}.initContainers[${index}]`, own));
  }
  return errors;
}

function validateContainer(container: Container, path: string, shared: Shared): FieldError[] {
  const { name, image, imagePullPolicy, env = [], envFrom = [], volumeMounts = [], lifecycle } = container;
  const errors: FieldError[] = [];
  if (!name) errors.push(required(`${path}.name`));
  else {
    errors.push(...invalids(`${path}.name`, name, checkLabel(name)));
    if (shared.names.has(name)) errors.push(duplicate(`${path}.name`, name));
    shared.names.add(name);
  }
  if (!image) errors.push(required(`${path}.image`));
  else if (image.trim() !== image) {
    errors.push(invalidValue(`${path}.image`, image, "must not have leading or trailing whitespace"));
  }
  errors.push(...validateHook(lifecycle?.postStart, `${path}.lifecycle.postStart`));
  errors.push(...validateHook(lifecycle?.preStop, `${path}.lifecycle.preStop`));
  errors.push(...validateProbes(container, path));
  errors.push(...validatePorts(container, path, shared));
  errors.push(...env.flatMap((variable, index) => validateVariable(variable, `${path}.env[${index}]`)));
  for (const [index, { configMapRef, secretRef }] of envFrom.entries()) {
    const given = [configMapRef, secretRef].filter((source) => source !== undefined).length;
    const at = `${path}.envFrom[${index}]`;
    if (given === 0) errors.push(invalidValue(at, "", "must specify one of: `configMapRef` or `secretRef`"));
    if (given > 1) errors.push(invalidValue(at, "", "may not have more than one field specified at a time"));
  }
  errors.push(...validateMounts(volumeMounts, path, shared.volumes));
  errors.push(...unlessOneOf(`${path}.imagePullPolicy`, imagePullPolicy, ["Always", "IfNotPresent", "Never"]));
  return [...errors, ...validateResources(container, `${path}.resources`)];
}

function validatePorts({ ports = [] }: Container, path: string, shared: Shared): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap(({ name, containerPort, hostPort, hostIP = "", protocol = "TCP" }, index) => {
    const at = `${path}.ports[${index}]`;
    const errors: FieldError[] = [];
    if (name) {
      errors.push(...invalids(`${at}.name`, name, checkPortName(name)));
      if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
      names.add(name);
    }
    if (!containerPort) errors.push(required(`${at}.containerPort`));
    else errors.push(...invalids(`${at}.containerPort`, containerPort, checkPort(containerPort)));
    errors.push(...unlessOneOf(`${at}.protocol`, protocol, ["SCTP", "TCP", "UDP"]));
    if (!hostPort) return errors;
    errors.push(...invalids(`${at}.hostPort`, hostPort, checkPort(hostPort)));
    if (shared.hostNetwork && hostPort !== containerPort) {
      const detail = "must match `hostPort` when `hostNetwork` is true";
      errors.push(invalidValue(`${at}.containerPort`, containerPort, detail));
    }
    const place = `${protocol}/${hostIP}/${hostPort}`;
    if (shared.hostPorts.has(place)) errors.push(duplicate(`${at}.hostPort`, place));
    shared.hostPorts.add(place);
    return errors;
  });
}

const sources = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef"] as const;

function validateVariable({ name, value, valueFrom }: EnvVar, path: string): FieldError[] {
  const errors = name ? invalids(`${path}.name`, name, checkEnvName(name)) : [required(`${path}.name`)];
  if (valueFrom === undefined) return errors;
  const at = `${path}.valueFrom`;
  const given = sources.filter((source) => valueFrom[source] !== undefined);
  if (value) errors.push(invalidValue(at, "", "may not be specified when `value` is not empty"));
  else if (given.length === 0) errors.push(invalidValue(at, "", `must specify one of: ${listed(sources)}`));
  else if (given.length > 1) {
    errors.push(invalidValue(at, "", "may not have more than one field specified at a time"));
  }
  for (const source of ["configMapKeyRef", "secretKeyRef"] as const) {
    const reference = valueFrom[source];
    if (reference === undefined) continue;
    if (!reference.name) errors.push(required(`${at}.${source}.name`));
    if (!reference.key) errors.push(required(`${at}.${source}.key`));
    else errors.push(...invalids(`${at}.${source}.key`, reference.key, checkConfigKey(reference.key)));
  }
  if (valueFrom.fieldRef !== undefined && !valueFrom.fieldRef.fieldPath) {
    errors.push(required(`${at}.fieldRef.fieldPath`));
  }
  if (valueFrom.resourceFieldRef !== undefined && !valueFrom.resourceFieldRef.resource) {
    errors.push(required(`${at}.resourceFieldRef.resource`));
  }
  return errors;
}

function listed(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

function validateMounts(mounts: readonly VolumeMount[], path: string, volumes: ReadonlySet<string>): FieldError[] {
  const paths = new Set<string>();
  return mounts.flatMap(({ name, mountPath, subPath = "" }, index) => {
    const at = `${path}.volumeMounts[${index}]`;
    const errors: FieldError[] = [];
    if (!name) errors.push(required(`${at}.name`));
    else if (!volumes.has(name)) errors.push(notFound(`${at}.name`, name));
    if (!mountPath) errors.push(required(`${at}.mountPath`));
    if (paths.has(mountPath)) errors.push(invalidValue(`${at}.mountPath`, mountPath, "must be unique"));
    paths.add(mountPath);
    if (subPath.startsWith("/")) errors.push(invalidValue(`${at}.subPath`, subPath, "must be a relative path"));
    if (subPath.split("/").includes("..")) errors.push(invalidValue(`${at}.subPath`, subPath, "must not contain '..'"));
    return errors;
  });
}

function validateResources({ resources: { limits = {}, requests = {} } = {} }: Container, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [list, values] of [
    ["limits", limits],
    ["requests", requests],
  ] as const) {
    for (const [name, text] of Object.entries(values)) {
      const known = ["cpu", "memory", "ephemeral-storage"].includes(name);
      const at = `${path}.${list}[${name}]`;
      if (!known && !name.includes("/") && !name.startsWith("hugepages-")) {
        errors.push(notSupported(`${path}.${list}`, name, ["cpu", "ephemeral-storage", "memory"]));
      }
      if ((parseQuantity(text) ?? 0) < 0) {
        errors.push(invalidValue(at, text, "must be greater than or equal to 0"));
      }
    }
  }
  for (const [name, request] of Object.entries(requests)) {
    const limit = limits[name];
    if (limit === undefined || (parseQuantity(request) ?? 0) <= (parseQuantity(limit) ?? 0)) continue;
    errors.push(invalidValue(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`));
  }
  return errors;
}
