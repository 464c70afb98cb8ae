import type { KubeObject } from "#api/meta/object.ts";
import { ApiError } from "#api/meta/status.ts";
import { checkShape, type ShapeError } from "#api/schema/decode-json.ts";
import { decodeEnvelope, decodeProtobuf, ProtobufError } from "#api/schema/decode-protobuf.ts";
import { findDuplicateFields } from "#api/schema/duplicate-fields.ts";
import { mediaTypeOf, readBody } from "./body.ts";
import type { Exchange } from "./exchange.ts";
import { parseJson } from "./json.ts";
import { fieldValidationOf } from "./options.ts";

/** What a body must be. */
export interface Expected {
  readonly apiVersion: string;
  readonly kind: string;
  /** The message of the schema. */
  readonly schema: string;
  /** Other versions of the same form. */
  readonly alsoAs?: readonly string[];
}

const mediaTypes = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

/** A body as a value, before it is held against a form. */
interface RawBody {
  readonly value: unknown;
  /** What a strict reader refuses, found in the text. */
  readonly problems: readonly string[];
  /** Set for protobuf, where the bytes cannot be read without the form. */
  readonly protobuf?: { readonly apiVersion: string; readonly kind: string; readonly raw: Uint8Array };
}

/** The object of the request's body in the form of `expected`. Rejects with `ApiError` in upstream's words. */
export async function readObject(exchange: Exchange, expected: Expected): Promise<KubeObject> {
  const type = mediaTypeOf(exchange.request);
  if (!mediaTypes.includes(type)) throw unsupported(mediaTypes);
  const validation = fieldValidationOf(exchange);
  const body = await readBody(exchange);
  const raw = await parseBody(type, body, expected, validation !== "Ignore");
  checkGvk(raw, expected);
  if (raw.protobuf !== undefined) {
    const value = fromProtobuf(() => decodeProtobuf((raw.protobuf as { raw: Uint8Array }).raw, expected.schema));
    return asObject(value, expected);
  }
  return shapeObject(exchange, raw.value, expected, { problems: raw.problems });
}

export interface ShapeOptions {
  /** What a strict reader refuses, found in the text before. */
  readonly problems?: readonly string[];
  /** The answer to a value of the wrong type, where it is not the usual one. */
  readonly onMismatch?: (error: ShapeError) => ApiError;
}

/** Holds a value against the form; what the form lacks is refused, warned of or dropped as `fieldValidation` says. */
export function shapeObject(
  exchange: Exchange,
  value: unknown,
  expected: Expected,
  options: ShapeOptions = {},
): KubeObject {
  const { onMismatch = ({ message }: ShapeError) => cannotHandle(expected, message) } = options;
  const { value: clean, unknown, errors } = checkShape(expected.schema, value);
  if (errors[0] !== undefined) throw onMismatch(errors[0]);
  const problems = [...(options.problems ?? []), ...unknown.map((path) => `unknown field "${path}"`)];
  const validation = fieldValidationOf(exchange);
  if (validation === "Strict" && problems.length > 0) {
    throw cannotHandle(expected, `strict decoding error: ${problems.join(", ")}`);
  }
  if (validation === "Warn") for (const problem of problems) exchange.warnings.add(problem);
  return asObject(clean as Record<string, unknown>, expected);
}

async function parseBody(type: string, body: Buffer, expected: Expected, findDuplicates: boolean): Promise<RawBody> {
  if (type === "application/vnd.kubernetes.protobuf") {
    const { apiVersion, kind, raw } = fromProtobuf(() => decodeEnvelope(body));
    return { value: { apiVersion, kind }, problems: [], protobuf: { apiVersion, kind, raw } };
  }
  const text = body.toString("utf8");
  try {
    if (type === "application/yaml") return await parseYaml(text);
    const value = parseJson(body);
    const duplicates = findDuplicates ? findDuplicateFields(text) : [];
    return { value, problems: duplicates.map((path) => `duplicate field "${path}"`) };
  } catch (error) {
    const what = `the object provided is unrecognized (must be of type ${expected.kind})`;
    throw new ApiError(
      "BadRequest",
      `${what}: couldn't get version/kind; json parse error: ${(error as Error).message}`,
    );
  }
}

/** The parser is loaded when the first such body comes: hardly a client sends one. */
async function parseYaml(text: string): Promise<RawBody> {
  const { parseYamlBody } = await import("#api/manifest/yaml.ts");
  const { value, duplicates } = parseYamlBody(text);
  const problems = duplicates.length === 0 ? [] : [`yaml: unmarshal errors:\n  ${duplicates.join("\n  ")}`];
  return { value, problems };
}

function fromProtobuf<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw new ApiError("BadRequest", `the body cannot be read as protobuf: ${error.message}`);
  }
}

function checkGvk({ value }: RawBody, expected: Expected): void {
  const { apiVersion, kind } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const versions: readonly unknown[] = [expected.apiVersion, ...(expected.alsoAs ?? [])];
  if ((!kind || kind === expected.kind) && (!apiVersion || versions.includes(apiVersion))) return;
  const given = {
    ...expected,
    kind: textOr(kind, expected.kind),
    apiVersion: textOr(apiVersion, expected.apiVersion),
  };
  const text = `${headOf(given)} cannot be handled as a ${expected.kind}: converting (${given.apiVersion}.${given.kind}) to (${expected.apiVersion}.${expected.kind}): unknown conversion`;
  throw new ApiError("BadRequest", text);
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === "string" && value !== "" ? value : otherwise;
}

function headOf({ apiVersion, kind }: Expected): string {
  return `${kind} in version ${JSON.stringify(apiVersion.slice(apiVersion.indexOf("/") + 1))}`;
}

function cannotHandle(expected: Expected, why: string): ApiError {
  return new ApiError("BadRequest", `${headOf(expected)} cannot be handled as a ${expected.kind}: ${why}`);
}

function asObject(value: Record<string, unknown>, { apiVersion, kind }: Expected): KubeObject {
  value["apiVersion"] = apiVersion;
  value["kind"] = kind;
  value["metadata"] ??= {};
  return value as unknown as KubeObject;
}

export function unsupported(accepted: readonly string[]): ApiError {
  const text = "the body of the request was in an unknown format - accepted media types include: ";
  return new ApiError("UnsupportedMediaType", text + accepted.join(", "));
}
