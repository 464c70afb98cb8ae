import { servedKinds, type ServedKind } from "../kinds.ts";
import { messageOf, scalarMessages, type Field } from "./message.ts";
import { isAtomic, mergeRuleOf } from "./merge-keys.ts";

/** A schema object of OpenAPI, as far as the API's forms need one. */
export interface Schema {
  $ref?: string;
  type?: string;
  format?: string;
  description?: string;
  items?: Schema;
  additionalProperties?: Schema;
  properties?: Record<string, Schema>;
  "x-kubernetes-patch-merge-key"?: string;
  "x-kubernetes-patch-strategy"?: string;
  "x-kubernetes-list-type"?: string;
  "x-kubernetes-list-map-keys"?: readonly string[];
  "x-kubernetes-map-type"?: string;
  "x-kubernetes-group-version-kind"?: readonly GroupVersionKind[];
}

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

const packages: Readonly<Record<string, string>> = {
  meta: "io.k8s.apimachinery.pkg.apis.meta.v1",
  runtime: "io.k8s.apimachinery.pkg.runtime",
  "api.resource": "io.k8s.apimachinery.pkg.api.resource",
  "util.intstr": "io.k8s.apimachinery.pkg.util.intstr",
};

const scalarSchemas: Readonly<Record<string, Schema>> = {
  "meta.Time": { type: "string", format: "date-time" },
  "meta.MicroTime": { type: "string", format: "date-time" },
  "meta.FieldsV1": { type: "object" },
  "api.resource.Quantity": { type: "string" },
  "util.intstr.IntOrString": { type: "string", format: "int-or-string" },
  "runtime.RawExtension": { type: "object" },
  "authentication.v1.ExtraValue": { type: "array", items: { type: "string" } },
  "authorization.v1.ExtraValue": { type: "array", items: { type: "string" } },
};

/** The name under which clients know a message: `io.k8s.api.core.v1.Service`. */
export function definitionName(message: string): string {
  const dot = message.lastIndexOf(".");
  const scope = message.slice(0, dot);
  return `${packages[scope] ?? `io.k8s.api.${scope}`}.${message.slice(dot + 1)}`;
}

export function gvkOf({ definition, version }: ServedKind): GroupVersionKind {
  return { group: version.group, version: version.version, kind: definition.resource.kind };
}

/**
 * The definitions that the given messages reach, by name. `root` is where references point: `#/definitions/` in version
 * 2 of OpenAPI, `#/components/schemas/` in version 3.
 */
export function compileDefinitions(messages: readonly string[], root: string): Record<string, Schema> {
  const definitions = new Map<string, Schema>();
  const waiting = [...messages];
  for (let message = waiting.pop(); message !== undefined; message = waiting.pop()) {
    const name = definitionName(message);
    if (definitions.has(name)) continue;
    definitions.set(name, scalarSchemas[message] ?? objectSchema(message, root));
    if (scalarMessages.has(message)) continue;
    for (const field of messageOf(message).byName.values())
      if (field.message !== undefined) waiting.push(field.message);
  }
  return Object.fromEntries([...definitions].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function objectSchema(message: string, root: string): Schema {
  const fields = [...messageOf(message).byName.values()];
  const properties = fields.map((field): [string, Schema] => [field.name, fieldSchema(message, field, root)]);
  const served = servedKinds.filter(({ version }) => version.schema === message);
  const own: [string, Schema][] = served.length > 0 ? ["apiVersion", "kind"].map((name) => [name, textSchema()]) : [];
  const sorted = [...own, ...properties].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    type: "object",
    properties: Object.fromEntries(sorted),
    ...(isAtomic(message) ? { "x-kubernetes-map-type": "atomic" } : {}),
    ...(served.length === 0 ? {} : { "x-kubernetes-group-version-kind": served.map((kind) => gvkOf(kind)) }),
  };
}

const textSchema = (): Schema => ({ type: "string" });

function fieldSchema(message: string, field: Field, root: string): Schema {
  const value = valueSchema(field, root);
  const rule = mergeRuleOf(message, field.name);
  if (field.form === "map") {
    const map: Schema = { type: "object", additionalProperties: value };
    return rule?.apply === "atomic" ? { ...map, "x-kubernetes-map-type": "atomic" } : map;
  }
  if (field.form === "one") {
    return rule?.retainKeys ? { ...value, "x-kubernetes-patch-strategy": "retainKeys" } : value;
  }
  const { key, isSet = false, retainKeys = false, apply = "atomic" } = rule ?? {};
  return {
    type: "array",
    items: value,
    ...(typeof apply === "string"
      ? { "x-kubernetes-list-type": apply }
      : { "x-kubernetes-list-map-keys": apply.keys.map(({ name }) => name), "x-kubernetes-list-type": "map" }),
    ...(key === undefined ? {} : { "x-kubernetes-patch-merge-key": key }),
    ...(key === undefined && !isSet
      ? {}
      : { "x-kubernetes-patch-strategy": retainKeys ? "merge,retainKeys" : "merge" }),
  };
}

function valueSchema({ scalar, message }: Field, root: string): Schema {
  if (message !== undefined) return { $ref: `${root}${definitionName(message)}` };
  switch (scalar) {
    case "bool":
      return { type: "boolean" };
    case "int32":
    case "int64":
      return { type: "integer", format: scalar };
    case "double":
      return { type: "number", format: "double" };
    case "bytes":
      return { type: "string", format: "byte" };
    default:
      return textSchema();
  }
}
