import type { ServedKind } from "#api/kinds.ts";
import { managersValue, type Managers } from "#api/merge/managers.ts";
import type { KubeObject, ObjectKey } from "#api/meta/object.ts";
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch } from "#api/meta/patch.ts";
import { ApiError } from "#api/meta/status.ts";
import type { ShapeError } from "#api/schema/decode-json.ts";
import { mediaTypeOf, readBody } from "../http/body.ts";
import { shapeObject, unsupported } from "../http/decode.ts";
import type { Exchange } from "../http/exchange.ts";
import { refuseForce } from "../http/options.ts";
import { parseJson } from "../http/json.ts";
import type { Form } from "../http/negotiate.ts";
import { checkSameKey } from "../registry/identity.ts";
import { scaleOf, withReplicas, type Scale } from "../registry/scale.ts";
import { cloneValue } from "#base/value.ts";
import { answerApply, applyPatchType } from "./apply.ts";
import { expectedOf, storedObject, writeContext } from "./create.ts";
import { sendItem } from "./render.ts";
import { scaleExpected, sendScale } from "./scale.ts";
import { servedObject } from "./served.ts";
import { mergedWrongly } from "./strategic.ts";

type Apply = (original: unknown, patch: unknown, schema: string) => unknown;

const patches: Readonly<Record<string, Apply>> = {
  "application/json-patch+json": applyJsonPatch,
  "application/merge-patch+json": applyMergePatch,
  "application/strategic-merge-patch+json": applyStrategicMergePatch,
};

/** PATCH of an object, its status or its scale. A patch without a revision is tried again when another write came first. */
export async function answerPatch(
  exchange: Exchange,
  served: ServedKind,
  key: ObjectKey,
  subresource: "status" | "scale" | undefined,
  form: Form,
): Promise<void> {
  const type = mediaTypeOf(exchange.request);
  if (type === applyPatchType) return answerApply(exchange, served, key, subresource, form);
  const apply = Object.hasOwn(patches, type) ? patches[type] : undefined;
  if (apply === undefined) throw unsupported([...Object.keys(patches), applyPatchType]);
  refuseForce(exchange);
  const { definition } = served;
  const context = writeContext(exchange, served);
  const patch = parsePatch(await readBody(exchange));
  const expected = subresource === "scale" ? scaleExpected : expectedOf(served);
  const namesRevision = type !== "application/json-patch+json" && revisionOf(patch) !== undefined;
  const strategic = type === "application/strategic-merge-patch+json";
  const options = strategic ? { onMismatch: (error: ShapeError) => mergedWrongly(patch, error) } : {};
  // A copy, since a patch may share what it did not touch with the stored object.
  const shape = (value: unknown) => shapeObject(exchange, cloneValue(value), expected, options);
  const named = namesManagedFields(patch);
  const change = (before: KubeObject, managers: Managers): KubeObject => {
    if (subresource === "scale") {
      const scale = shape(apply(scaleOf(before), patch, expected.schema)) as Scale;
      return withReplicas(before, scale.spec?.replicas);
    }
    const original = servedObject(served, before);
    const next = shape(apply(named ? withManagedFields(original, managers) : original, patch, expected.schema));
    const stored = storedObject(served, next);
    checkSameKey(stored, before);
    if (!namesRevision && stored.metadata.resourceVersion === before.metadata.resourceVersion) {
      delete stored.metadata.resourceVersion;
    }
    return stored;
  };
  const update = { kind: definition.resource.kind, key, change, ...(subresource === undefined ? {} : { subresource }) };
  const { item } = await exchange.parts.registry.update(update, context);
  if (subresource === "scale") await sendScale(exchange, scaleOf(item.object), form);
  else await sendItem(exchange, served, item, form);
}

function parsePatch(body: Buffer): unknown {
  try {
    return parseJson(body);
  } catch (error) {
    throw new ApiError("BadRequest", `error decoding patch: ${(error as Error).message}`);
  }
}

/** Most patches say nothing about who holds what, and are spared the reading of it. */
function withManagedFields(object: KubeObject, managers: Managers): KubeObject {
  return { ...object, metadata: { ...object.metadata, managedFields: managersValue(managers) } };
}

/** Whether a patch reads or writes `metadata.managedFields`: an operation on it, or on what it stands in. */
function namesManagedFields(patch: unknown): boolean {
  if (!Array.isArray(patch)) {
    return (patch as { metadata?: { managedFields?: unknown } } | null)?.metadata?.managedFields !== undefined;
  }
  const isAbout = (path: unknown) => typeof path === "string" && /^(\/metadata(\/managedFields.*)?)?$/s.test(path);
  return patch.some((step: { path?: unknown; from?: unknown } | null) => isAbout(step?.path) || isAbout(step?.from));
}

function revisionOf(patch: unknown): unknown {
  return (patch as { metadata?: { resourceVersion?: unknown } } | null)?.metadata?.resourceVersion;
}
