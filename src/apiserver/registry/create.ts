import type { KindDefinition } from "#api/kind.ts";
import type { Managers } from "#api/merge/managers.ts";
import { keyText, type KubeObject } from "#api/meta/object.ts";
import { ApiError } from "#api/meta/status.ts";
import type { KindName } from "#api/types.ts";
import { alreadyExists, forbidden, notFound, refuseInvalid } from "./errors.ts";
import type { Item } from "./item.ts";
import { trackCreate } from "./managed.ts";
import { reviewOf, webhooksFor } from "./review.ts";
import { generatedName, stampNew } from "./metadata.ts";
import { admissionRequest, commit, passWarnings, withAdmission, type WriteBase, type WriteContext } from "./write.ts";

const nameAttempts = 8;

/**
 * Creates an object of the stored form, which becomes the registry's own. `applied` says who holds its fields when it
 * comes from server-side apply. Rejects with `ApiError`.
 */
export async function createObject(
  base: WriteBase,
  kind: KindName,
  object: KubeObject,
  context: WriteContext,
  applied?: Managers,
): Promise<Item> {
  const definition = base.definition(kind);
  const { metadata } = object;
  const { generateName } = metadata;
  if (metadata.name !== undefined && metadata.name !== "")
    return createNamed(base, definition, object, context, applied);
  if (generateName === undefined || generateName === "") {
    const detail = "name or generateName is required";
    refuseInvalid(definition, context, "", [{ type: "Required", path: "metadata.name", detail }]);
  }
  for (let attempt = 1; ; attempt += 1) {
    metadata.name = generatedName(generateName as string);
    const taken = base.cache(kind).get(keyText(metadata)) !== undefined;
    if (taken && attempt < nameAttempts) continue;
    return createNamed(base, definition, object, context, applied);
  }
}

async function createNamed(
  base: WriteBase,
  definition: KindDefinition,
  object: KubeObject,
  context: WriteContext,
  applied: Managers | undefined,
): Promise<Item> {
  const { resource } = definition;
  const { name } = object.metadata;
  object.apiVersion = resource.apiVersion;
  object.kind = resource.kind;
  stampNew(definition, object, base.clock.now());
  definition.applyDefaults(object);
  // Before the server fills in what is its own, such as addresses: nobody holds that.
  const managers = applied ?? trackCreate(base, definition, object, context);
  definition.prepareCreate?.(object);
  const key = keyText(object.metadata);
  checkNamespace(base, definition, object, name);
  if (base.cache(resource.kind).get(key) !== undefined) throw alreadyExists(resource, name);
  const request = admissionRequest(definition, context, { operation: "CREATE", object });
  const item = await withAdmission(base, request, async (company) => {
    const newErrors = definition.validateCreate?.(object) ?? [];
    refuseInvalid(definition, context, name, [...definition.validate(object), ...newErrors]);
    passWarnings(definition, context, object, undefined);
    await webhooksFor(base, context)?.review(reviewOf(definition, context, { operation: "CREATE", object }));
    if (context.dryRun) return { key, object, managers, revision: 0, rendered: new Map<string, unknown>() };
    return commit(base, definition, key, { put: object, managers }, "absent", company);
  });
  if (item === undefined) throw alreadyExists(resource, name);
  return item;
}

/** Nothing new in a namespace that is not there or that is going. */
function checkNamespace(base: WriteBase, { resource }: KindDefinition, object: KubeObject, name: string): void {
  if (!resource.namespaced) return;
  const { namespace } = object.metadata;
  if (namespace === undefined || namespace === "") {
    throw new ApiError("BadRequest", "an empty namespace may not be set during creation");
  }
  const found = base.cache("Namespace").get(namespace)?.object;
  if (found === undefined) throw notFound(base.definition("Namespace").resource, namespace);
  if (found.metadata.deletionTimestamp === undefined) return;
  const message = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const refused = forbidden(resource, name, message);
  const causes = [
    {
      reason: "NamespaceTerminating",
      message: `namespace ${namespace} is being terminated`,
      field: "metadata.namespace",
    },
  ];
  throw new ApiError("Forbidden", refused.message, { ...refused.details, causes });
}
