import type { Column } from "#api/kind.ts";
import type { ServedKind } from "#api/kinds.ts";
import { ageColumn, nameColumn, numberColumn } from "#api/meta/columns.ts";
import type { ObjectKey } from "#api/meta/object.ts";
import { readObject, type Expected } from "../http/decode.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Form } from "../http/negotiate.ts";
import { notFound } from "../registry/errors.ts";
import { checkKey } from "../registry/identity.ts";
import { scaleOf, withReplicas, type Scale } from "../registry/scale.ts";
import { writeContext } from "./create.ts";
import { includeOf, sendForm } from "./render.ts";
import { tableOfOne } from "./table.ts";

export const scaleExpected: Expected = { apiVersion: "autoscaling/v1", kind: "Scale", schema: "autoscaling.v1.Scale" };

export async function answerGetScale(
  exchange: Exchange,
  { definition }: ServedKind,
  key: ObjectKey,
  form: Form,
): Promise<void> {
  const { registry } = exchange.parts;
  await registry.latest();
  const item = registry.get(definition.resource.kind, key);
  if (item === undefined) throw notFound(definition.resource, key.name);
  await sendScale(exchange, scaleOf(item.object), form);
}

export async function answerUpdateScale(
  exchange: Exchange,
  { definition }: ServedKind,
  key: ObjectKey,
  form: Form,
): Promise<void> {
  const context = writeContext(exchange);
  const scale = (await readObject(exchange, scaleExpected)) as Scale;
  checkKey(scale, key);
  const change = (before: Parameters<typeof scaleOf>[0]) => {
    const next = withReplicas(before, scale.spec?.replicas);
    if (scale.metadata.resourceVersion) next.metadata.resourceVersion = scale.metadata.resourceVersion;
    return next;
  };
  const update = { kind: definition.resource.kind, key, change, subresource: "scale" as const };
  const { item } = await exchange.parts.registry.update(update, context);
  await sendScale(exchange, scaleOf(item.object), form);
}

const columns: readonly Column<Scale>[] = [
  nameColumn,
  numberColumn("Desired", ({ spec }) => spec.replicas ?? 0, "How many pods are wished for."),
  numberColumn("Available", ({ status }) => status.replicas, "How many pods there are."),
  ageColumn,
];

/** `kubectl get --subresource=scale` asks for a Table here as well. */
export async function sendScale(exchange: Exchange, scale: Scale, form: Form): Promise<void> {
  const now = exchange.parts.registry.clock.now();
  if (form.as === "table") {
    return sendForm(exchange, tableOfOne(scale, columns, form.apiVersion, includeOf(exchange), now), form);
  }
  await sendForm(exchange, form.as === "partial" ? partialScale(scale, form.apiVersion) : scale, form);
}

function partialScale({ metadata }: Scale, apiVersion: string): object {
  return { kind: "PartialObjectMetadata", apiVersion, metadata };
}
