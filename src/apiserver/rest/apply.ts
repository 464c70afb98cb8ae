import type { ServedKind } from "#api/kinds.ts";
import { problemsOf } from "#api/merge/extract.ts";
import { shapeOf } from "#api/merge/shape.ts";
import { splitApiVersion, type KubeObject, type ObjectKey } from "#api/meta/object.ts";
import { ApiError } from "#api/meta/status.ts";
import { checkShape } from "#api/schema/decode-json.ts";
import { findDuplicateFields } from "#api/schema/duplicate-fields.ts";
import { cloneValue } from "#base/value.ts";
import { readBody } from "../http/body.ts";
import type { Expected } from "../http/decode.ts";
import type { Exchange } from "../http/exchange.ts";
import { parseJson } from "../http/json.ts";
import type { Form } from "../http/negotiate.ts";
import { applyOptionsOf, fieldValidationOf } from "../http/options.ts";
import { checkKey } from "../registry/identity.ts";
import { scaleOf, type Scale } from "../registry/scale.ts";
import { expectedOf, writeContext } from "./create.ts";
import { sendItem } from "./render.ts";
import { scaleExpected, sendScale } from "./scale.ts";

export const applyPatchType = "application/apply-patch+yaml";

/** PATCH with an applied configuration: server-side apply of an object, its status or its scale. */
export async function answerApply(
  exchange: Exchange,
  served: ServedKind,
  key: ObjectKey,
  subresource: "status" | "scale" | undefined,
  form: Form,
): Promise<void> {
  const { force } = applyOptionsOf(exchange);
  const context = writeContext(exchange, served);
  const { kind } = served.definition.resource;
  const expected = subresource === "scale" ? scaleExpected : expectedOf(served);
  const { value, problems } = await parseApplied(await readBody(exchange));
  const applied = readApplied(value, expected);
  const configuration = subresource === "scale" ? ofScale(applied as Scale, served) : applied;
  const part = subresource === "status" ? "status" : "main";
  const [problem] = problemsOf(shapeOf(served.version.schema, part), configuration);
  if (problem !== undefined) throw untypable(configuration, expected, problem);
  checkKey(configuration, key);
  const { schema } = expectedOf(served);
  const clean = (object: KubeObject) => checkShape(schema, cloneValue(object)).value as KubeObject;
  const apply = { kind, key, configuration, force, clean, ...(subresource === undefined ? {} : { subresource }) };
  tellDuplicates(exchange, problems);
  const { item, created } = await exchange.parts.registry.apply(apply, context);
  if (subresource === "scale") await sendScale(exchange, scaleOf(item.object), form);
  else await sendItem(exchange, served, item, form, created ? 201 : 200);
}

interface ParsedBody {
  readonly value: unknown;
  /** What a strict reader refuses. */
  readonly problems: readonly string[];
}

/** JSON is YAML, and what kubectl sends: only the rest needs the slower reader. */
async function parseApplied(body: Buffer): Promise<ParsedBody> {
  const text = body.toString("utf8");
  try {
    if (/^\s*\{/.test(text)) {
      const value = jsonOf(body);
      if (value !== undefined)
        return { value, problems: findDuplicateFields(text).map((path) => `key ${path} already set`) };
    }
    const { parseYamlBody } = await import("#api/manifest/yaml.ts");
    const { value, duplicates } = parseYamlBody(text);
    return { value, problems: duplicates };
  } catch (error) {
    throw new ApiError("BadRequest", `error decoding YAML: ${(error as Error).message}`);
  }
}

function jsonOf(body: Buffer): unknown {
  try {
    return parseJson(body);
  } catch (error) {
    // YAML's own braces look like JSON's; what is nested too deeply is neither.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function tellDuplicates(exchange: Exchange, problems: readonly string[]): void {
  const validation = fieldValidationOf(exchange);
  if (problems.length === 0 || validation === "Ignore") return;
  const text = `error strict decoding YAML: error converting YAML to JSON: yaml: ${problems.join(", ")}`;
  if (validation === "Strict") throw new ApiError("BadRequest", text);
  for (const problem of problems) exchange.warnings.add(problem);
}

/** The configuration in the form of the kind, without nulls; zeros stay, since they were said. */
function readApplied(value: unknown, expected: Expected): KubeObject {
  const { apiVersion, kind, metadata } = (
    typeof value === "object" && value !== null ? value : {}
  ) as Partial<KubeObject>;
  if (apiVersion !== expected.apiVersion || kind !== expected.kind) {
    throw new ApiError("BadRequest", `invalid object type: ${gvkText(apiVersion, kind)}`);
  }
  if (metadata?.managedFields !== undefined && metadata.managedFields !== null) {
    throw new ApiError("BadRequest", "metadata.managedFields must be nil");
  }
  const { value: clean, unknown, errors } = checkShape(expected.schema, value, { keepsZeros: true });
  const [error] = errors;
  if (error !== undefined) throw untypable(value, expected, `.${error.path}: ${error.message}`);
  if (unknown.length > 0) {
    const texts = unknown.map((path) => `.${path}: field not declared in schema`);
    throw untypable(value, expected, texts.length === 1 ? (texts[0] as string) : `errors:\n  ${texts.join("\n  ")}`);
  }
  const configuration = clean as KubeObject;
  configuration.metadata ??= {} as KubeObject["metadata"];
  return configuration;
}

function gvkText(apiVersion: unknown, kind: unknown): string {
  const { group, version } = splitApiVersion(typeof apiVersion === "string" ? apiVersion : "");
  return `${group}/${version}, Kind=${typeof kind === "string" ? kind : ""}`;
}

/** Upstream answers these 500, with the same words; a client that is wrong is told so here. */
function untypable(value: unknown, { apiVersion, kind }: Expected, why: string): ApiError {
  const { name = "", namespace = "" } = (value as Partial<KubeObject>).metadata ?? {};
  const text = `failed to create typed patch object (${namespace}/${name}; ${gvkText(apiVersion, kind)}): ${why}`;
  return new ApiError("BadRequest", text);
}

/** What an applied Scale says about the object it is the scale of. */
function ofScale({ metadata, spec }: Scale, { definition, version }: ServedKind): KubeObject {
  const { resource } = definition;
  const { apiVersion } = expectedOf({ definition, version });
  return { apiVersion, kind: resource.kind, metadata, ...(spec === undefined ? {} : { spec }) };
}
