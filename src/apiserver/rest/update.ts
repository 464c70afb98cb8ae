import type { ServedKind } from "#api/kinds.ts";
import type { ObjectKey } from "#api/meta/object.ts";
import { demand } from "../auth/authorize.ts";
import { readObject } from "../http/decode.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Form } from "../http/negotiate.ts";
import { checkKey } from "../registry/identity.ts";
import { cloneValue } from "#base/value.ts";
import { expectedOf, storedObject, writeContext } from "./create.ts";
import { sendItem } from "./render.ts";

/** PUT of an object, its status, or a namespace's finalizers. */
export async function answerUpdate(
  exchange: Exchange,
  served: ServedKind,
  key: ObjectKey,
  subresource: "status" | "finalize" | undefined,
  form: Form,
): Promise<void> {
  const { kind, plural } = served.definition.resource;
  const { parts, user } = exchange;
  const context = writeContext(exchange, served);
  const object = storedObject(served, await readObject(exchange, expectedOf(served)));
  checkKey(object, key);
  const wished = () => cloneValue(object);
  const { item, created } = await parts.registry.update(
    {
      kind,
      key,
      ...(subresource === undefined ? {} : { subresource }),
      mayCreate: true,
      needsVersion: true,
      change: wished,
      // A PUT that creates is a create as well.
      create() {
        demand(parts.authorizer, user, { verb: "create", group: served.version.group, resource: plural, ...key });
        return wished();
      },
    },
    context,
  );
  await sendItem(exchange, served, item, form, created ? 201 : 200);
}
