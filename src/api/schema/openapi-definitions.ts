import { servedKinds, type ServedKind } from "../kinds.ts";
import { reviewForms } from "../review-forms.ts";
import { describeField, describeMessage, type FieldText } from "./describe/texts.ts";
import { messageOf, scalarMessages, type Field } from "./message.ts";
import { isAtomic, mergeRuleOf } from "./merge-keys.ts";

/** A schema object of OpenAPI, as far as the API's forms need one. */
export interface Schema {
  $ref?: string;
  allOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  type?: string;
  format?: string;
  description?: string;
  items?: Schema;
  additionalProperties?: Schema;
  properties?: Record<string, Schema>;
  required?: readonly string[];
  enum?: readonly string[];
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

/** Version 3 can say that a value has one of two types, and `kubectl explain` then shows the name instead. */
const eitherSchemas: Readonly<Record<string, Schema>> = {
  "api.resource.Quantity": { oneOf: [{ type: "string" }, { type: "number" }] },
  "util.intstr.IntOrString": { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
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

function gvksOf(message: string): GroupVersionKind[] {
  const kinds = servedKinds.filter(({ version }) => version.schema === message).map((kind) => gvkOf(kind));
  const review = reviewForms.find(({ schema }) => schema === message);
  return review === undefined ? kinds : [...kinds, { group: review.group, version: review.version, kind: review.kind }];
}

/** Where references of version 2 point, and those of version 3. */
export const definitionsRoot = "#/definitions/";
export const schemasRoot = "#/components/schemas/";

/**
 * The definitions that the given messages reach, by name. `root` is where references point: one of the two above.
 */
export function compileDefinitions(messages: readonly string[], root: string): Record<string, Schema> {
  const definitions = new Map<string, Schema>();
  const waiting = [...messages];
  for (let message = waiting.pop(); message !== undefined; message = waiting.pop()) {
    const name = definitionName(message);
    if (definitions.has(name)) continue;
    const scalar = (root === schemasRoot ? eitherSchemas[message] : undefined) ?? scalarSchemas[message];
    definitions.set(name, scalar === undefined ? objectSchema(message, root) : { ...described(message), ...scalar });
    if (scalarMessages.has(message)) continue;
    for (const field of messageOf(message).byName.values())
      if (field.message !== undefined) waiting.push(field.message);
  }
  return Object.fromEntries([...definitions].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function objectSchema(message: string, root: string): Schema {
  const served = gvksOf(message);
  const fields = [...messageOf(message).byName.values()].map((field) => ({
    name: field.name,
    schema: fieldSchema(message, field, root),
  }));
  const own = served.length > 0 ? ["apiVersion", "kind"].map((name) => ({ name, schema: textSchema() })) : [];
  const sorted = [...own, ...fields].sort((a, b) => (a.name < b.name ? -1 : 1));
  const texts = sorted.map(({ name, schema }) => ({ name, schema, text: describeField(message, name) }));
  const required = texts.filter(({ text }) => text?.isRequired).map(({ name }) => name);
  return {
    ...described(message),
    type: "object",
    properties: Object.fromEntries(texts.map(({ name, schema, text }) => [name, explained(schema, text, root)])),
    ...(required.length === 0 ? {} : { required }),
    ...(isAtomic(message) ? { "x-kubernetes-map-type": "atomic" } : {}),
    ...(served.length === 0 ? {} : { "x-kubernetes-group-version-kind": served }),
  };
}

function described(message: string): Schema {
  const description = describeMessage(message);
  return description === undefined ? {} : { description };
}

/** A field's schema with what the field means. Version 3 knows no reference that has something beside it. */
function explained(schema: Schema, found: FieldText | undefined, root: string): Schema {
  if (found === undefined) return schema;
  const { $ref, ...rest } = schema;
  const reference = $ref === undefined ? {} : root === definitionsRoot ? { $ref } : { allOf: [{ $ref }] };
  const { text, values } = found;
  return { description: text, ...reference, ...rest, ...(values.length === 0 ? {} : { enum: values }) };
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
