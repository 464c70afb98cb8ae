import type { FieldError } from "../../meta/field-error.ts";
import { invalids, invalidValue, required } from "../../meta/field-errors.ts";
import { checkLabel, checkPort, checkPortName, checkSubdomain } from "../../meta/names.ts";
import type { IngressBackend } from "./kind.ts";

/** A backend is a Service with one port, or an object of another kind, and not both. */
export function validateBackend({ service, resource }: IngressBackend, path: string): FieldError[] {
  if (service !== undefined && resource !== undefined) {
    return [invalidValue(path, "", "cannot set both resource and service backends")];
  }
  if (resource !== undefined) return validateResource(resource, `${path}.resource`);
  if (service === undefined) return [invalidValue(path, "", "resource or service backend is required")];
  const errors: FieldError[] = [];
  if (!service.name) errors.push(required(`${path}.service.name`));
  else errors.push(...invalids(`${path}.service.name`, service.name, checkLabel(service.name)));
  const { name, number } = service.port ?? {};
  if (name && number) errors.push(invalidValue(path, "", "cannot set both port name & port number"));
  else if (name) errors.push(...invalids(`${path}.service.port.name`, name, checkPortName(name)));
  else if (number) errors.push(...invalids(`${path}.service.port.number`, number, checkPort(number)));
  else errors.push(required(path, "port name or number is required"));
  return errors;
}

function validateResource(resource: NonNullable<IngressBackend["resource"]>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { apiGroup, kind, name } = resource;
  if (apiGroup) errors.push(...invalids(`${path}.apiGroup`, apiGroup, checkSubdomain(apiGroup)));
  if (!kind) errors.push(required(`${path}.kind`));
  if (!name) errors.push(required(`${path}.name`));
  return errors;
}
