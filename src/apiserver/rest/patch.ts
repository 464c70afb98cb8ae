import type { ServedKind } from "#api/kinds.ts";
import type { KubeObject, ObjectKey } from "#api/meta/object.ts";
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch } from "#api/meta/patch.ts";
import { ApiError } from "#api/meta/status.ts";
import type { ShapeError } from "#api/schema/decode-json.ts";
import { mediaTypeOf, readBody } from "../http/body.ts";
import { shapeObject, unsupported } from "../http/decode.ts";
import type { Exchange } from "../http/exchange.ts";
import { parseJson } from "../http/json.ts";
import type { Form } from "../http/negotiate.ts";
import { checkSameKey } from "../registry/identity.ts";
import { scaleOf, withReplicas, type Scale } from "../registry/scale.ts";
import { cloneValue } from "../registry/value.ts";
import { expectedOf, storedObject, writeContext } from "./create.ts";
import { sendItem } from "./render.ts";
import { scaleExpected, sendScale } from "./scale.ts";
import { servedObject } from "./served.ts";
import { mergedWrongly } from "./strategic.ts";

type Apply = (original: unknown, patch: unknown, schema: string) => unknown;

/**
 * `application/apply-patch+yaml` is left out on purpose: to its 415 kubectl says "Server-side apply not available on the
 * server".
 */
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
  const apply = Object.hasOwn(patches, type) ? patches[type] : undefined;
  if (apply === undefined) throw unsupported(Object.keys(patches));
  const { definition } = served;
  const context = writeContext(exchange, served);
  const patch = parsePatch(await readBody(exchange.request));
  const expected = subresource === "scale" ? scaleExpected : expectedOf(served);
  const namesRevision = type !== "application/json-patch+json" && revisionOf(patch) !== undefined;
  const strategic = type === "application/strategic-merge-patch+json";
  const options = strategic ? { onMismatch: (error: ShapeError) => mergedWrongly(patch, error) } : {};
  // A copy, since a patch may share what it did not touch with the stored object.
  const shape = (value: unknown) => shapeObject(exchange, cloneValue(value), expected, options);
  const change = (before: KubeObject): KubeObject => {
    if (subresource === "scale") {
      const scale = shape(apply(scaleOf(before), patch, expected.schema)) as Scale;
      return withReplicas(before, scale.spec?.replicas);
    }
    const next = shape(apply(servedObject(served, before), patch, expected.schema));
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

function revisionOf(patch: unknown): unknown {
  return (patch as { metadata?: { resourceVersion?: unknown } } | null)?.metadata?.resourceVersion;
}
