import { ApiError } from "#api/meta/status.ts";

/** The shape an answer is asked for in. */
export interface Form {
  readonly as: "object" | "table" | "partial";
  /** Of Table and PartialObjectMetadata: `meta.k8s.io/v1` or its beta. */
  readonly apiVersion: string;
  readonly yaml: boolean;
}

const plain: Form = { as: "object", apiVersion: "", yaml: false };

/**
 * The first acceptable entry of an `Accept` header. Protobuf is answered with JSON: every client follows the answer's
 * Content-Type. Throws `NotAcceptable`.
 */
export function negotiate(accept: string | undefined, isList: boolean): Form {
  if (accept === undefined || accept.trim() === "") return plain;
  let protobuf = false;
  for (const entry of accept.split(",")) {
    const [type = "", ...parameters] = entry.split(";").map((part) => part.trim());
    const fields = new Map(parameters.map((parameter) => splitParameter(parameter)));
    if (type === "application/vnd.kubernetes.protobuf" && !fields.has("as")) protobuf = true;
    const yaml = type === "application/yaml";
    if (!yaml && !["*/*", "application/*", "application/json"].includes(type)) continue;
    const form = formOf(fields, yaml, isList);
    if (form !== undefined) return form;
  }
  if (protobuf) return plain;
  const types = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
  throw new ApiError("NotAcceptable", `only the following media types are accepted: ${types}`);
}

function splitParameter(parameter: string): [string, string] {
  const equals = parameter.indexOf("=");
  return equals === -1 ? [parameter, ""] : [parameter.slice(0, equals), parameter.slice(equals + 1)];
}

function formOf(fields: ReadonlyMap<string, string>, yaml: boolean, isList: boolean): Form | undefined {
  const as = fields.get("as");
  if (as === undefined) return { ...plain, yaml };
  const version = fields.get("v") ?? "";
  if (fields.get("g") !== "meta.k8s.io" || !["v1", "v1beta1"].includes(version)) return undefined;
  const apiVersion = `meta.k8s.io/${version}`;
  if (as === "Table") return { as: "table", apiVersion, yaml };
  if (as === (isList ? "PartialObjectMetadataList" : "PartialObjectMetadata"))
    return { as: "partial", apiVersion, yaml };
  return undefined;
}
