import type { FieldError } from "../../meta/field-error.ts";
import { duplicate, forbidden, invalids, required, unlessOneOf } from "../../meta/field-errors.ts";
import { checkLabel, checkPort, checkPortName, checkQualifiedName } from "../../meta/names.ts";
import type { ServicePort, ServiceSpec } from "./kind.ts";

export function validatePorts({ ports = [], type }: ServiceSpec): FieldError[] {
  const names = new Set<string>();
  const errors = ports.flatMap((port, index) => validatePort(port, `spec.ports[${index}]`, ports.length > 1, names));
  const numbers = new Set<string>();
  const nodePorts = new Set<string>();
  for (const [index, { port, protocol = "TCP", nodePort }] of ports.entries()) {
    const path = `spec.ports[${index}]`;
    if (nodePort && type === "ClusterIP") {
      errors.push(forbidden(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
    }
    const number = `${protocol} ${port}`;
    if (numbers.has(number)) errors.push(duplicate(path, { port, protocol }));
    numbers.add(number);
    if (!nodePort) continue;
    const outside = `${protocol} ${nodePort}`;
    if (nodePorts.has(outside)) errors.push(duplicate(`${path}.nodePort`, nodePort));
    nodePorts.add(outside);
  }
  return errors;
}

function validatePort(port: ServicePort, path: string, needsName: boolean, names: Set<string>): FieldError[] {
  const errors: FieldError[] = [];
  if (!port.name) {
    if (needsName) errors.push(required(`${path}.name`));
  } else {
    errors.push(...invalids(`${path}.name`, port.name, checkLabel(port.name)));
    if (names.has(port.name)) errors.push(duplicate(`${path}.name`, port.name));
    names.add(port.name);
  }
  errors.push(...invalids(`${path}.port`, port.port ?? 0, checkPort(port.port ?? 0)));
  errors.push(...unlessOneOf(`${path}.protocol`, port.protocol, ["SCTP", "TCP", "UDP"]));
  const { targetPort, appProtocol } = port;
  // Without one, it is `port`, which has had its say above.
  if (targetPort !== undefined && targetPort !== port.port) {
    const wrong = typeof targetPort === "number" ? checkPort(targetPort) : checkPortName(targetPort);
    errors.push(...invalids(`${path}.targetPort`, targetPort, wrong));
  }
  if (appProtocol !== undefined) {
    errors.push(...invalids(`${path}.appProtocol`, appProtocol, checkQualifiedName(appProtocol)));
  }
  return errors;
}
