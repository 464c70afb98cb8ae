import { parseAddress } from "#base/cidr.ts";
import { checkEndpointAddress } from "../../meta/addresses.ts";
import type { FieldError } from "../../meta/field-error.ts";
import {
  duplicate,
  immutable,
  invalids,
  invalidValue,
  notSupported,
  required,
  tooMany,
  unlessOneOf,
} from "../../meta/field-errors.ts";
import { validateMetadata, validateMetadataUpdate } from "../../meta/metadata.ts";
import { checkLabel, checkPort, checkQualifiedName, checkSubdomain } from "../../meta/names.ts";
import type { EndpointSlice, SliceEndpoint, SlicePort } from "./kind.ts";

const addressTypes = ["FQDN", "IPv4", "IPv6"] as const;
/** Limits of upstream's discovery validation. */
const limits = { endpoints: 1000, addresses: 100, ports: 20_000, hints: 8 };

export function validateEndpointSlice(slice: EndpointSlice): FieldError[] {
  const errors = validateMetadata(slice, true);
  if (!slice.addressType) return [...errors, required("addressType")];
  if (!addressTypes.includes(slice.addressType)) {
    return [...errors, notSupported("addressType", slice.addressType, addressTypes)];
  }
  const { endpoints, ports = [] } = slice;
  if (endpoints.length > limits.endpoints) errors.push(tooMany("endpoints", endpoints.length, limits.endpoints));
  else errors.push(...endpoints.flatMap((endpoint, index) => validateEndpoint(endpoint, index, slice.addressType)));
  if (ports.length > limits.ports) errors.push(tooMany("ports", ports.length, limits.ports));
  return [...errors, ...validatePorts(ports)];
}

export function validateEndpointSliceUpdate(next: EndpointSlice, before: EndpointSlice): FieldError[] {
  return [...validateMetadataUpdate(next, before), ...immutable("addressType", next.addressType, before.addressType)];
}

function validateEndpoint(endpoint: SliceEndpoint, index: number, type: EndpointSlice["addressType"]): FieldError[] {
  const path = `endpoints[${index}]`;
  const { addresses, hostname, nodeName, hints } = endpoint;
  const errors: FieldError[] = [];
  if (addresses.length === 0) errors.push(required(`${path}.addresses`, "must contain at least 1 address"));
  if (addresses.length > limits.addresses) {
    errors.push(tooMany(`${path}.addresses`, addresses.length, limits.addresses));
  }
  for (const [at, address] of addresses.entries()) {
    errors.push(...validateAddress(address, `${path}.addresses[${at}]`, type));
  }
  if (hostname !== undefined) errors.push(...invalids(`${path}.hostname`, hostname, checkLabel(hostname)));
  if (nodeName !== undefined) errors.push(...invalids(`${path}.nodeName`, nodeName, checkSubdomain(nodeName)));
  for (const field of ["forZones", "forNodes"] as const) {
    const entries = hints?.[field] ?? [];
    const at = `${path}.hints.${field}`;
    if (entries.length > limits.hints) errors.push(tooMany(at, entries.length, limits.hints));
    const names = entries.map(({ name }) => name);
    const again = names.findIndex((name, position) => names.indexOf(name) < position);
    if (again !== -1) errors.push(duplicate(`${at}[${again}].name`, names[again]));
  }
  return errors;
}

function validateAddress(address: string, path: string, type: EndpointSlice["addressType"]): FieldError[] {
  if (type === "FQDN") return invalids(path, address, checkSubdomain(address.replace(/\.$/, "")));
  const wanted = type === "IPv4" ? 4 : 6;
  const parsed = parseAddress(address);
  if (parsed !== undefined && parsed.family !== wanted) {
    return [invalidValue(path, address, `must be an ${type} address`)];
  }
  return invalids(path, address, checkEndpointAddress(address));
}

function validatePorts(ports: readonly SlicePort[]): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap(({ name = "", port, protocol, appProtocol }, index) => {
    const path = `ports[${index}]`;
    const errors: FieldError[] = [];
    if (name !== "") errors.push(...invalids(`${path}.name`, name, checkLabel(name)));
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
    names.add(name);
    errors.push(...unlessOneOf(`${path}.protocol`, protocol, ["SCTP", "TCP", "UDP"]));
    if (port !== undefined) errors.push(...invalids(`${path}.port`, port, checkPort(port)));
    if (appProtocol !== undefined) {
      errors.push(...invalids(`${path}.appProtocol`, appProtocol, checkQualifiedName(appProtocol)));
    }
    return errors;
  });
}
