import { checkEndpointAddress } from "../../meta/addresses.ts";
import type { FieldError } from "../../meta/field-error.ts";
import { invalids, required, unlessOneOf } from "../../meta/field-errors.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import { checkLabel, checkPort, checkQualifiedName, checkSubdomain } from "../../meta/names.ts";
import type { EndpointAddress, Endpoints, EndpointSubset } from "./kind.ts";

export function validateEndpoints(endpoints: Endpoints): FieldError[] {
  const subsets = endpoints.subsets ?? [];
  return [
    ...validateMetadata(endpoints, true),
    ...subsets.flatMap((subset, index) => validateSubset(subset, `subsets[${index}]`)),
  ];
}

export function validateEndpointsUpdate(next: Endpoints, before: Endpoints): FieldError[] {
  return validateMetadataUpdate(next, before);
}

function validateSubset({ addresses = [], notReadyAddresses = [], ports = [] }: EndpointSubset, path: string) {
  const errors: FieldError[] = [];
  if (addresses.length + notReadyAddresses.length === 0) {
    errors.push(required(path, "must specify `addresses` or `notReadyAddresses`"));
  }
  errors.push(
    ...addresses.flatMap((address, index) => validateAddress(address, `${path}.addresses[${index}]`)),
    ...notReadyAddresses.flatMap((address, index) => validateAddress(address, `${path}.notReadyAddresses[${index}]`)),
  );
  for (const [index, { name, port, protocol, appProtocol }] of ports.entries()) {
    const at = `${path}.ports[${index}]`;
    if (name) errors.push(...invalids(`${at}.name`, name, checkLabel(name)));
    else if (ports.length > 1) errors.push(required(`${at}.name`));
    errors.push(...invalids(`${at}.port`, port ?? 0, checkPort(port ?? 0)));
    errors.push(...unlessOneOf(`${at}.protocol`, protocol, ["SCTP", "TCP", "UDP"]));
    if (appProtocol !== undefined) {
      errors.push(...invalids(`${at}.appProtocol`, appProtocol, checkQualifiedName(appProtocol)));
    }
  }
  return errors;
}

function validateAddress({ ip, hostname, nodeName }: EndpointAddress, path: string): FieldError[] {
  return [
    ...invalids(`${path}.ip`, ip ?? "", checkEndpointAddress(ip ?? "")),
    ...(hostname ? invalids(`${path}.hostname`, hostname, checkLabel(hostname)) : []),
    ...(nodeName ? invalids(`${path}.nodeName`, nodeName, checkSubdomain(nodeName)) : []),
  ];
}
