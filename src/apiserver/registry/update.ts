import type { KindDefinition } from "#api/kind.ts";
import type { Managers } from "#api/merge/managers.ts";
import { keyText, type KubeObject, type ObjectKey } from "#api/meta/object.ts";
import { ApiError } from "#api/meta/status.ts";
import type { KindName } from "#api/types.ts";
import type { ReviewRequest } from "../webhooks/request.ts";
import { createObject } from "./create.ts";
import { notFound, staleVersion, refuseInvalid } from "./errors.ts";
import { bindingReview, reviewOf, webhooksFor } from "./review.ts";
import { createItem, type Item } from "./item.ts";
import { sameHolding, trackChange } from "./managed.ts";
import { carryMetadata, isFinished } from "./metadata.ts";
import type { Stored } from "./stored.ts";
import { cloneValue, sameValue } from "#base/value.ts";
import { admissionRequest, commit, passWarnings, withAdmission, type WriteBase, type WriteContext } from "./write.ts";

export type Update = UpdateBase & (Changing | Applying);

interface UpdateBase {
  readonly kind: KindName;
  readonly key: ObjectKey;
  /** `undefined` is the object itself. */
  readonly subresource?: "status" | "finalize" | "scale" | "binding";
  /** A PUT: a name that is not there may be created, where the kind allows it. */
  readonly mayCreate?: boolean;
  /** A PUT without a revision is refused where the kind says so. A patch carries none by nature. */
  readonly needsVersion?: boolean;
  /** For `mayCreate`: the object to create. */
  create?(): KubeObject;
}

interface Changing {
  /** The wished object in stored form, as a new value; called again with the newest object when another write came first. */
  change(before: KubeObject, managers: Managers): KubeObject;
}

interface Applying {
  /** Server-side apply: in the place of `change`, says as well who holds which field afterwards. */
  apply(before: KubeObject, managers: Managers): Stored;
}

/** A writer that loses this often against others is told so. */
const attempts = 100;

export interface Updated {
  readonly item: Item;
  readonly created: boolean;
}

/** Changes one object. A change that changes nothing is not stored. Rejects with `ApiError`. */
export async function updateObject(base: WriteBase, update: Update, context: WriteContext): Promise<Updated> {
  const definition = base.definition(update.kind);
  const key = keyText(update.key);
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const before = base.cache(update.kind).get(key);
    if (before === undefined) {
      if (update.mayCreate && definition.createOnUpdate && update.create && update.subresource === undefined) {
        return { item: await createObject(base, update.kind, update.create(), context), created: true };
      }
      throw notFound(definition.resource, update.key.name);
    }
    const item = await tryUpdate(base, definition, update, before, context);
    if (item !== undefined) return { item, created: false };
  }
  throw staleVersion(definition.resource, update.key.name);
}

async function tryUpdate(
  base: WriteBase,
  definition: KindDefinition,
  update: Update,
  before: Item,
  context: WriteContext,
): Promise<Item | undefined> {
  const { subresource } = update;
  const { object: next, managers: applied } = wishOf(update, before);
  const said: unknown = next.metadata.managedFields;
  checkVersion(definition, update, next, before, context);
  if (subresource === "status") takeStatus(definition, next, before.object);
  else takeAllButStatus(definition, update, next, before.object);
  // Before the server fills in what is its own. A binding is the scheduler's word about a Pod, and no change by a client.
  const managers =
    applied ??
    (subresource === "binding"
      ? before.managers
      : trackChange(base, definition, { before, next, subresource, said }, context));
  prepare(definition, update, next, before.object);
  const { name } = before.object.metadata;
  const request = admissionRequest(definition, context, {
    operation: "UPDATE",
    object: next,
    before: before.object,
    ...(subresource === undefined ? {} : { subresource }),
  });
  return withAdmission(base, request, async (company) => {
    // Binding is the one way to set a Pod's node; for everything else that field is fixed.
    const changeErrors = subresource === "binding" ? [] : definition.validateUpdate(next, before.object);
    refuseInvalid(definition, context, name, [...definition.validate(next), ...changeErrors]);
    if (subresource === undefined) passWarnings(definition, context, next, before.object);
    bumpGeneration(definition, next, before.object);
    await webhooksFor(base, context)?.review(reviewOfUpdate(definition, update, next, before, context));
    const { resourceVersion: _, ...metadata } = before.object.metadata;
    const isSame = sameValue(next, { ...before.object, metadata }) && sameHolding(managers, before.managers);
    if (isSame) return before;
    if (context.dryRun) return createItem(before.key, next, before.revision, managers);
    const operation = isFinished(next) ? { delete: next, managers } : { put: next, managers };
    return commit(base, definition, before.key, operation, before.revision, company);
  });
}

/** A binding is the creation of one, to webhooks; the Pod it changes is not shown. */
function reviewOfUpdate(
  definition: KindDefinition,
  { subresource, needsVersion }: Update,
  next: KubeObject,
  { object: before }: Item,
  context: WriteContext,
): ReviewRequest {
  if (subresource === "binding") return bindingReview(context, next);
  const part = subresource === undefined ? {} : { subresource };
  const optionsKind = needsVersion === true ? "UpdateOptions" : "PatchOptions";
  return reviewOf(definition, context, { operation: "UPDATE", object: next, before, optionsKind, ...part });
}

function wishOf(update: Update, { object, managers }: Item): { object: KubeObject; managers?: Managers } {
  return "apply" in update ? update.apply(object, managers) : { object: update.change(object, managers) };
}

function checkVersion(
  definition: KindDefinition,
  update: Update,
  next: KubeObject,
  before: Item,
  context: WriteContext,
): void {
  const { resource } = definition;
  const { name } = before.object.metadata;
  const asked = next.metadata.resourceVersion;
  if (asked === undefined || asked === "" || asked === "0") {
    if (!update.needsVersion || definition.unconditionalUpdate) return;
    const error = { type: "Invalid", value: 0n, detail: "must be specified for an update" } as const;
    refuseInvalid({ resource: { ...resource, kind: qualifiedAs(definition) } }, context, name, [
      { ...error, path: "metadata.resourceVersion" },
    ]);
  }
  if (asked !== String(before.revision) && asked !== undefined && asked !== "") {
    if (!/^\d+$/.test(asked)) throw new ApiError("BadRequest", `invalid resource version "${asked}"`);
    if (asked !== "0") throw staleVersion(resource, name);
  }
}

/** Upstream names the plural in this one 422. */
function qualifiedAs({ resource }: KindDefinition): KindName {
  return resource.plural as KindName;
}

function takeAllButStatus(definition: KindDefinition, update: Update, next: KubeObject, before: KubeObject): void {
  next.apiVersion = before.apiVersion;
  next.kind = before.kind;
  carryMetadata(definition, next, before);
  if (update.subresource === "binding") return;
  if (definition.subresources.includes("status")) copyField(next, before, "status");
  definition.applyDefaults(next);
  if (update.subresource === "finalize") keepAllBut(next, before, "spec");
}

/** What the server carries over or decides itself, of what an update may leave out. */
function prepare(definition: KindDefinition, { subresource }: Update, next: KubeObject, before: KubeObject): void {
  if (subresource === undefined || subresource === "scale") definition.prepareUpdate?.(next, before);
}

/** All of `before` but status; labels and annotations may come along, as upstream lets most kinds have it. */
function takeStatus(definition: KindDefinition, next: KubeObject, before: KubeObject): void {
  const { labels, annotations } = next.metadata;
  const isWorkload = before.apiVersion.startsWith("apps/");
  carryMetadata(definition, next, before);
  const metadata = cloneValue({ ...before.metadata, resourceVersion: undefined });
  delete metadata.resourceVersion;
  if (!isWorkload) assignOrDelete(metadata, "labels", labels);
  assignOrDelete(metadata, "annotations", annotations);
  next.metadata = metadata;
  if (definition.prepareStatusUpdate === undefined) keepAllBut(next, before, "status");
  else definition.prepareStatusUpdate(next, before);
  definition.applyDefaults(next);
}

function assignOrDelete(
  metadata: KubeObject["metadata"],
  field: "labels" | "annotations",
  value: Record<string, string> | undefined,
): void {
  if (value == null || Object.keys(value).length === 0) delete metadata[field];
  else metadata[field] = value;
}

type Fields = Record<string, unknown>;

function keepAllBut(next: KubeObject, before: KubeObject, kept: string): void {
  for (const field of Object.keys(next))
    if (field !== kept && field !== "metadata") delete (next as unknown as Fields)[field];
  for (const field of Object.keys(before)) if (field !== kept && field !== "metadata") copyField(next, before, field);
}

function copyField(next: KubeObject, before: KubeObject, field: string): void {
  const value = (before as unknown as Fields)[field];
  if (value === undefined) delete (next as unknown as Fields)[field];
  else (next as unknown as Fields)[field] = cloneValue(value);
}

/** One more with each change outside metadata and status. */
function bumpGeneration(definition: KindDefinition, next: KubeObject, before: KubeObject): void {
  if (!definition.hasGeneration) return;
  const wish = (object: KubeObject) => ({ ...object, metadata: undefined, status: undefined });
  const generation = before.metadata.generation ?? 1;
  next.metadata.generation = sameValue(wish(next), wish(before)) ? generation : generation + 1;
}
