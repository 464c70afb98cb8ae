import type { Schema } from "./openapi-definitions.ts";
import type { Method, Operation, Parameter } from "./openapi-paths.ts";
import type { OpenApiV2 } from "./openapi-v2.ts";
import { bytesField, textField } from "./wire-writer.ts";

/** The media type of these bytes. The dot before `v1.0` matters: clients refuse the `@` they themselves ask with. */
export const openApiV2ProtobufType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/** An OpenAPI 2 document as gnostic's `openapi.v2.Document`, the only form that kubectl before 1.27 asks for. */
export function renderOpenApiV2Protobuf({ swagger, info, paths, definitions }: OpenApiV2): Uint8Array {
  const items = Object.entries(paths).map(([path, item]) => named(2, path, pathItem(item as PathItemForm)));
  const schemas = Object.entries(definitions).map(([name, schema]) => named(1, name, schemaBytes(schema)));
  return Buffer.concat([
    textField(1, swagger),
    bytesField(2, Buffer.concat([textField(1, info.title), textField(2, info.version)])),
    bytesField(8, Buffer.concat(items)),
    bytesField(9, Buffer.concat(schemas)),
  ]);
}

type PathItemForm = Partial<Record<Method, Operation>>;

const methods: Readonly<Record<Method, number>> = { get: 2, put: 3, post: 4, delete: 5, patch: 8 };

/** gnostic keeps maps as lists of pairs: name = 1, value = 2. */
function named(field: number, name: string, value: Uint8Array): Uint8Array {
  return bytesField(field, Buffer.concat([textField(1, name), bytesField(2, value)]));
}

function extension(field: number, name: string, value: unknown): Uint8Array {
  // `Any.yaml`: JSON is YAML.
  return named(field, name, textField(2, JSON.stringify(value)));
}

function pathItem(item: PathItemForm): Uint8Array {
  const operations = Object.entries(item) as [Method, Operation][];
  return Buffer.concat(operations.map(([method, operation]) => bytesField(methods[method], operationBytes(operation))));
}

function operationBytes(operation: Operation): Uint8Array {
  return Buffer.concat([
    textField(5, operation.operationId),
    ...operation.parameters.map((parameter) => bytesField(8, parameterBytes(parameter))),
    bytesField(9, new Uint8Array()),
    extension(13, "x-kubernetes-action", operation["x-kubernetes-action"]),
    extension(13, "x-kubernetes-group-version-kind", operation["x-kubernetes-group-version-kind"]),
  ]);
}

/** `ParametersItem.parameter` > `Parameter.non_body_parameter` > `query_parameter_sub_schema` */
function parameterBytes({ name, description }: Parameter): Uint8Array {
  const query = [textField(2, "query"), textField(3, description), textField(4, name), textField(6, "string")];
  return bytesField(1, bytesField(2, bytesField(3, Buffer.concat(query))));
}

function schemaBytes(schema: Schema): Uint8Array {
  const parts: Uint8Array[] = [];
  if (schema.$ref !== undefined) parts.push(textField(1, schema.$ref));
  if (schema.format !== undefined) parts.push(textField(2, schema.format));
  if (schema.description !== undefined) parts.push(textField(4, schema.description));
  for (const name of schema.required ?? []) parts.push(textField(19, name));
  if (schema.additionalProperties !== undefined) {
    parts.push(bytesField(21, bytesField(1, schemaBytes(schema.additionalProperties))));
  }
  if (schema.type !== undefined) parts.push(bytesField(22, textField(1, schema.type)));
  if (schema.items !== undefined) parts.push(bytesField(23, bytesField(1, schemaBytes(schema.items))));
  if (schema.properties !== undefined) {
    const properties = Object.entries(schema.properties).map(([name, child]) => named(1, name, schemaBytes(child)));
    parts.push(bytesField(25, Buffer.concat(properties)));
  }
  for (const [name, value] of Object.entries(schema)) {
    if (name.startsWith("x-")) parts.push(extension(31, name, value));
  }
  return Buffer.concat(parts);
}
