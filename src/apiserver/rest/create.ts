import { apiVersionOf, type ServedKind } from "#api/kinds.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { readObject, type Expected } from "../http/decode.ts";
import type { Exchange } from "../http/exchange.ts";
import { dryRunOf, fieldManagerOf } from "../http/options.ts";
import type { Form } from "../http/negotiate.ts";
import { checkKey } from "../registry/identity.ts";
import type { WriteContext } from "../registry/write.ts";
import { sendItem } from "./render.ts";

/** POST to a collection. */
export async function answerCreate(
  exchange: Exchange,
  served: ServedKind,
  namespace: string | undefined,
  form: Form,
): Promise<void> {
  const { kind } = served.definition.resource;
  const context = writeContext(exchange, served);
  const object = storedObject(served, await readObject(exchange, expectedOf(served)));
  checkKey(object, namespace === undefined ? {} : { namespace });
  const item = await exchange.parts.registry.create(kind, object, context);
  await sendItem(exchange, served, item, form, 201);
}

export function expectedOf({ definition, version }: ServedKind): Expected {
  return { apiVersion: apiVersionOf(version), kind: definition.resource.kind, schema: version.schema };
}

export function storedObject({ version }: ServedKind, object: KubeObject): KubeObject {
  return version.toStored === undefined ? object : version.toStored(object);
}

/** Who writes by this request, and how. Throws `Invalid` for options that are none. */
export function writeContext(exchange: Exchange, served?: ServedKind): WriteContext {
  const { user, warnings } = exchange;
  return {
    user,
    dryRun: dryRunOf(exchange),
    fieldManager: fieldManagerOf(exchange),
    ...(served === undefined ? {} : { version: served.version }),
    warn: (text) => warnings.add(text),
  };
}
