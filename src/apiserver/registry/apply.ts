import { applyConfiguration, applyNew, type ApplyWrite } from "#api/merge/apply.ts";
import { conflictsText, type FieldConflict } from "#api/merge/conflict.ts";
import { keyText, type KubeObject, type ObjectKey } from "#api/meta/object.ts";
import { ApiError, isApiError } from "#api/meta/status.ts";
import type { KindName } from "#api/types.ts";
import { rfc3339 } from "#base/clock.ts";
import { createObject } from "./create.ts";
import { conflict } from "./errors.ts";
import { checkSameKey } from "./identity.ts";
import { formsFor, identityOf } from "./managed.ts";
import type { Stored } from "./stored.ts";
import { updateObject, type Updated } from "./update.ts";
import type { WriteBase, WriteContext } from "./write.ts";

/** One server-side apply to one object or to a subresource of it. */
export interface Apply {
  readonly kind: KindName;
  readonly key: ObjectKey;
  readonly subresource?: "status" | "scale";
  /** In the form of the version it was written in, complete with name and namespace. */
  readonly configuration: KubeObject;
  readonly force: boolean;
  /** Holds a merged object against the form of that version; what is given back is a new value. */
  readonly clean: (object: KubeObject) => KubeObject;
}

/** Who loses this often against others who make and delete the object is told so. */
const attempts = 100;

/** Applies a configuration; creates what is not there. One that changes nothing is not stored. Rejects with `ApiError`. */
export async function applyObject(base: WriteBase, apply: Apply, context: WriteContext): Promise<Updated> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await applyOnce(base, apply, context);
    } catch (error) {
      // Made by somebody else since it was looked for: applied to what they made.
      if (!isApiError(error, "AlreadyExists") || attempt === attempts) throw error;
    }
  }
}

async function applyOnce(base: WriteBase, apply: Apply, context: WriteContext): Promise<Updated> {
  const { kind, key, subresource, configuration } = apply;
  if (subresource === undefined && base.cache(kind).get(keyText(key)) === undefined) {
    return { item: await create(base, apply, context), created: true };
  }
  const { uid, resourceVersion } = configuration.metadata;
  const merge = (live: KubeObject, managers: Stored["managers"]): Stored => {
    const applied = applyConfiguration(managers, { ...writeOf(base, apply, context), live });
    if ("conflicts" in applied) throw conflictsWith(applied.conflicts);
    const { metadata, ...rest } = applied.object;
    const object = { ...rest, metadata: { ...metadata, ...(uid === undefined ? {} : { uid }) } };
    checkSameKey(object, live);
    if (resourceVersion === undefined) delete object.metadata.resourceVersion;
    else object.metadata.resourceVersion = resourceVersion;
    return { object, managers: applied.managers };
  };
  return updateObject(
    base,
    { kind, key, apply: merge, ...(subresource === undefined ? {} : { subresource }) },
    context,
  );
}

function writeOf(
  base: WriteBase,
  { kind, subresource, configuration, force, clean }: Apply,
  context: WriteContext,
): Omit<ApplyWrite, "live"> {
  const definition = base.definition(kind);
  const applier = identityOf(definition, context, "Apply", subresource);
  const time = rfc3339(base.clock.now());
  return { formOf: formsFor(definition, subresource), configuration, applier, force, time, clean };
}

/** The applier holds what it names of an object it creates. */
async function create(base: WriteBase, apply: Apply, context: WriteContext) {
  const { kind, key, configuration } = apply;
  const definition = base.definition(kind);
  const { uid } = configuration.metadata;
  if (uid !== undefined && uid !== "") {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(definition.resource, key.name, why);
  }
  const { object, managers } = applyNew(writeOf(base, apply, context));
  // A revision is a condition on what is there, and nothing is.
  delete object.metadata.resourceVersion;
  return createObject(base, kind, object, context, managers);
}

/** The 409 that kubectl shows as a list, each field with its manager. */
function conflictsWith(conflicts: readonly FieldConflict[]): ApiError {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with ${manager}`,
    field: path,
  }));
  return new ApiError("Conflict", conflictsText(conflicts), { causes });
}
