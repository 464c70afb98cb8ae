import type { FieldError } from "../../meta/field-error.ts";
import { forbidden, invalids, invalidValue, required, unlessNatural, unlessOneOf } from "../../meta/field-errors.ts";
import { checkHeaderName, checkPort, checkPortName } from "../../meta/names.ts";
import type { Container, Probe, ProbeAction } from "./kind.ts";

type Hook = ProbeAction & { sleep?: { seconds: number } };

export function validateProbes(container: Container, path: string): FieldError[] {
  return (["livenessProbe", "readinessProbe", "startupProbe"] as const).flatMap((kind) => {
    const probe = container[kind];
    if (probe === undefined) return [];
    return [...validateAction(probe, `${path}.${kind}`), ...validateTimes(probe, `${path}.${kind}`, kind)];
  });
}

export function validateHook(hook: Hook | undefined, path: string): FieldError[] {
  return hook === undefined ? [] : validateAction(hook, path);
}

function validateAction(action: Hook, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { exec, httpGet, tcpSocket, grpc, sleep } = action;
  const given = (["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const).filter(
    (kind) => action[kind] !== undefined,
  );
  if (given.length === 0) return [required(path, "must specify a handler type")];
  for (const kind of given.slice(1)) {
    errors.push(forbidden(`${path}.${kind}`, "may not specify more than 1 handler type"));
  }
  if (exec !== undefined && (exec.command ?? []).length === 0) errors.push(required(`${path}.exec.command`));
  if (httpGet !== undefined) {
    const at = `${path}.httpGet`;
    if (!httpGet.path) errors.push(required(`${at}.path`));
    errors.push(...validatePort(httpGet.port, `${at}.port`));
    errors.push(...unlessOneOf(`${at}.scheme`, httpGet.scheme, ["HTTP", "HTTPS"]));
    for (const [index, { name }] of (httpGet.httpHeaders ?? []).entries()) {
      errors.push(...invalids(`${at}.httpHeaders[${index}].name`, name ?? "", checkHeaderName(name ?? "")));
    }
  }
  if (tcpSocket !== undefined) errors.push(...validatePort(tcpSocket.port, `${path}.tcpSocket.port`));
  if (grpc !== undefined) errors.push(...validatePort(grpc.port, `${path}.grpc.port`));
  if (sleep !== undefined) errors.push(...unlessNatural(`${path}.sleep.seconds`, sleep.seconds));
  return errors;
}

function validatePort(port: number | string | undefined, path: string): FieldError[] {
  if (port === undefined) return invalids(path, 0, checkPort(0));
  return invalids(path, port, typeof port === "number" ? checkPort(port) : checkPortName(port));
}

const times = [
  "initialDelaySeconds",
  "timeoutSeconds",
  "periodSeconds",
  "successThreshold",
  "failureThreshold",
] as const;

function validateTimes(probe: Probe, path: string, kind: string): FieldError[] {
  const errors = times.flatMap((field) => unlessNatural(`${path}.${field}`, probe[field]));
  if (kind !== "readinessProbe" && (probe.successThreshold ?? 1) !== 1) {
    errors.push(invalidValue(`${path}.successThreshold`, probe.successThreshold, "must be 1"));
  }
  const grace = probe.terminationGracePeriodSeconds;
  if (grace === undefined) return errors;
  if (kind === "readinessProbe") {
    errors.push(invalidValue(`${path}.terminationGracePeriodSeconds`, grace, "must not be set for readinessProbes"));
  } else if (grace <= 0) {
    errors.push(invalidValue(`${path}.terminationGracePeriodSeconds`, grace, "must be greater than 0"));
  }
  return errors;
}
