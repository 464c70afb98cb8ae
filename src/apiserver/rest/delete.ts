import type { ServedKind } from "#api/kinds.ts";
import type { ObjectKey } from "#api/meta/object.ts";
import { isApiError, type Status } from "#api/meta/status.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Form } from "../http/negotiate.ts";
import { sendValue } from "../http/respond.ts";
import { detailsOf } from "../registry/errors.ts";
import type { Item } from "../registry/item.ts";
import { writeContext } from "./create.ts";
import { readDeleteWish } from "./delete-options.ts";
import { listFor, listMetadata } from "./list.ts";
import { sendForm, sendItem } from "./render.ts";
import { servedItem } from "./served.ts";

/** DELETE of one object: what is gone is answered with a Status (or with itself), what stays for now with itself. */
export async function answerDelete(exchange: Exchange, served: ServedKind, key: ObjectKey, form: Form): Promise<void> {
  const { options, dryRun } = await readDeleteWish(exchange);
  const { definition } = served;
  const context = { ...writeContext(exchange), dryRun };
  const { item, gone } = await exchange.parts.registry.delete(definition.resource.kind, key, options, context);
  if (!gone || definition.deleteReturnsObject) return sendItem(exchange, served, item, { ...form, as: "object" });
  const { uid } = item.object.metadata;
  const details = { ...detailsOf(definition.resource, key.name), ...(uid === undefined ? {} : { uid }) };
  sendValue(exchange, 200, success(details));
}

export function success(details?: Status["details"], code?: number): Status {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    ...(details === undefined ? {} : { details }),
    ...(code === undefined ? {} : { code }),
  };
}

/** DELETE of a collection: each object that the selectors choose; answers those it deleted. */
export async function answerDeleteCollection(
  exchange: Exchange,
  served: ServedKind,
  namespace: string | undefined,
  form: Form,
): Promise<void> {
  const { registry } = exchange.parts;
  const { resource } = served.definition;
  const { options, dryRun } = await readDeleteWish(exchange);
  const context = { ...writeContext(exchange), dryRun };
  const list = await listFor(exchange, served, namespace);
  const deleted: Item[] = [];
  for (const { object } of list.items) {
    const { name, namespace } = object.metadata;
    try {
      const key = { name, ...(namespace === undefined ? {} : { namespace }) };
      deleted.push((await registry.delete(resource.kind, key, options, context)).item);
    } catch (error) {
      // Another one was faster: it is gone, as asked.
      if (!isApiError(error, "NotFound")) throw error;
    }
  }
  const { version } = served;
  const head = {
    kind: `${resource.kind}List`,
    apiVersion: version.group ? `${version.group}/${version.version}` : version.version,
  };
  const body = {
    ...head,
    metadata: listMetadata(list),
    items: deleted.map((item) => servedItem(served, item)),
  };
  await sendForm(exchange, body, form);
}
