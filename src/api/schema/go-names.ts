import type { Field } from "./message.ts";

/**
 * The names of Go types that upstream's error texts carry. Nothing but those texts depends on them.
 */
export function goNameOf(messageName: string): string {
  return messageName.slice(messageName.lastIndexOf(".") + 1);
}

const named: Readonly<Record<string, string>> = {
  "meta.Time": "v1.Time",
  "meta.MicroTime": "v1.MicroTime",
  "meta.FieldsV1": "v1.FieldsV1",
  "api.resource.Quantity": "resource.Quantity",
  "util.intstr.IntOrString": "intstr.IntOrString",
  "runtime.RawExtension": "runtime.RawExtension",
};

/** String fields that have a type of their own in Go, by field name. */
const strings: Readonly<Record<string, string>> = {
  addressType: "v1.AddressType",
  dnsPolicy: "v1.DNSPolicy",
  effect: "v1.TaintEffect",
  externalTrafficPolicy: "v1.ServiceExternalTrafficPolicy",
  imagePullPolicy: "v1.PullPolicy",
  internalTrafficPolicy: "v1.ServiceInternalTrafficPolicy",
  ipFamilies: "v1.IPFamily",
  ipFamilyPolicy: "v1.IPFamilyPolicy",
  pathType: "v1.PathType",
  protocol: "v1.Protocol",
  restartPolicy: "v1.RestartPolicy",
  sessionAffinity: "v1.ServiceAffinity",
  uid: "types.UID",
};

/** The Go type of one value of the field: `string`, `int32`, `v1.ServicePort`. */
export function goTypeOf({ name, scalar, message }: Field): string {
  if (message !== undefined) {
    if (named[message] !== undefined) return named[message];
    const [group = "", version = "v1"] = message.split(".");
    return `${group === "meta" ? "v1" : version}.${goNameOf(message)}`;
  }
  if (scalar === "bytes") return "[]uint8";
  if (scalar === "double") return "float64";
  if (scalar === "string") return strings[name] ?? "string";
  return scalar ?? "string";
}
