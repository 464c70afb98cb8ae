import type { KindDefinition } from "#api/kind.ts";
import { apiVersionOf } from "#api/kinds.ts";
import { formsOf, schemaOf, type FormOf } from "#api/merge/form.ts";
import { isReset, noManagers, readManagers, type ManagerIdentity, type Managers } from "#api/merge/managers.ts";
import { trackUpdate } from "#api/merge/update.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { rfc3339 } from "#base/clock.ts";
import type { Item } from "./item.ts";
import type { WriteBase, WriteContext } from "./write.ts";

/** The entry of `managedFields` that a write belongs to. */
export function identityOf(
  definition: KindDefinition,
  { fieldManager, version }: WriteContext,
  operation: ManagerIdentity["operation"],
  subresource?: string,
): ManagerIdentity {
  const apiVersion = version === undefined ? definition.resource.apiVersion : apiVersionOf(version);
  return {
    manager: fieldManager,
    operation,
    apiVersion,
    schema: schemaOf(definition, apiVersion),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

/** The fields that a write through this subresource can change, in each version. */
export function formsFor(definition: KindDefinition, subresource?: string): FormOf {
  return formsOf(definition, subresource === "status" ? "status" : "main");
}

/** Who holds the fields of a new object: all of them its creator. */
export function trackCreate(
  base: WriteBase,
  definition: KindDefinition,
  object: KubeObject,
  context: WriteContext,
): Managers {
  const writer = identityOf(definition, context, "Update");
  const time = rfc3339(base.clock.now());
  return trackUpdate(noManagers, { formOf: formsFor(definition), after: object, writer, time });
}

/** A change to an object by anything but apply. */
export interface Change {
  readonly before: Item;
  readonly next: KubeObject;
  readonly subresource: string | undefined;
  /** What the client sent as `metadata.managedFields`. */
  readonly said: unknown;
}

/** Who holds the fields after a change. Of an object whose managers are not known none become known by a change. */
export function trackChange(
  base: WriteBase,
  definition: KindDefinition,
  { before, next, subresource, said }: Change,
  context: WriteContext,
): Managers {
  const managers = managersSaid(definition, before.managers, said, subresource);
  if (managers.length === 0) return managers;
  const writer = identityOf(definition, context, "Update", subresource);
  const time = rfc3339(base.clock.now());
  const formOf = formsFor(definition, subresource);
  return trackUpdate(managers, { formOf, before: before.object, after: next, writer, time });
}

/** A client may rewrite `managedFields` or clear it; what cannot be read, or comes by a subresource, is passed over. */
function managersSaid(
  definition: KindDefinition,
  known: Managers,
  said: unknown,
  subresource: string | undefined,
): Managers {
  if (said === undefined || subresource !== undefined) return known;
  if (isReset(said)) return noManagers;
  const read = readManagers(said, (apiVersion) => schemaOf(definition, apiVersion));
  return read === undefined || read.length === 0 ? known : read;
}

/** Whether two lists of managers say the same, times apart: a write that moves only times is none. */
export function sameHolding(a: Managers, b: Managers): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  const texts = (managers: Managers) =>
    managers.map((manager) => JSON.stringify({ ...manager, time: undefined })).sort();
  const others = texts(b);
  return texts(a).every((text, index) => text === others[index]);
}
