import type { KindDefinition } from "#api/kind.ts";
import { keyText, type ObjectKey } from "#api/meta/object.ts";
import type { KindName } from "#api/types.ts";
import type { DeleteOptions } from "#client/contract.ts";
import { conflict, forbidden, notFound } from "./errors.ts";
import type { Item } from "./item.ts";
import { reviewOf, webhooksFor } from "./review.ts";
import { operationFor } from "./removal.ts";
import { admissionRequest, commit, withAdmission, type WriteBase, type WriteContext } from "./write.ts";

export interface Deleted {
  readonly item: Item;
  /** Whether the object is gone; otherwise finalizers or a grace period keep it for now. */
  readonly gone: boolean;
}

const keptNamespaces = new Set(["default", "kube-system", "kube-public"]);

/** Deletes one object, or marks it as going. Deleting what is going already changes nothing. */
export async function deleteObject(
  base: WriteBase,
  kind: KindName,
  key: ObjectKey,
  options: DeleteOptions,
  context: WriteContext,
): Promise<Deleted> {
  const definition = base.definition(kind);
  for (;;) {
    const before = base.cache(kind).get(keyText(key));
    if (before === undefined) throw notFound(definition.resource, key.name);
    if (kind === "Namespace" && keptNamespaces.has(key.name)) {
      throw forbidden(definition.resource, key.name, "this namespace may not be deleted");
    }
    checkPreconditions(definition, before, options);
    const operation = operationFor(definition, before, options, base.clock.now());
    if (operation === undefined) return { item: before, gone: false };
    const gone = "delete" in operation;
    // What only begins to go is shown with what holds it, so that nothing it uses is given back too early.
    const object = gone ? before.object : operation.put;
    const request = admissionRequest(definition, context, { operation: "DELETE", object });
    const item = await withAdmission(base, request, async (company) => {
      const written = { operation: "DELETE", before: before.object, options } as const;
      await webhooksFor(base, context)?.review(reviewOf(definition, context, written));
      if (context.dryRun) return before;
      return commit(base, definition, before.key, operation, before.revision, company);
    });
    if (item !== undefined) return { item, gone };
  }
}

function checkPreconditions({ resource }: KindDefinition, { object }: Item, { preconditions }: DeleteOptions): void {
  const { uid, resourceVersion } = preconditions ?? {};
  const { metadata } = object;
  const mismatch = (what: string, asked: string, has: string | undefined) => {
    const why = `the ${what} in the precondition (${asked}) does not match the ${what} in record (${has}). The object might have been deleted and then recreated`;
    const text = conflict(resource, metadata.name, why);
    return text;
  };
  if (uid !== undefined && uid !== metadata.uid) throw mismatch("UID", uid, metadata.uid);
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw mismatch("ResourceVersion", resourceVersion, metadata.resourceVersion);
  }
}
