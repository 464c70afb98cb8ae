import type { Admission, AdmissionRequest, UserInfo } from "#api/admission.ts";
import type { KindDefinition, ServedVersion } from "#api/kind.ts";
import type { Managers } from "#api/merge/managers.ts";
import type { KubeObject } from "#api/meta/object.ts";
import { splitApiVersion } from "#api/meta/object.ts";
import { ApiError, invalid } from "#api/meta/status.ts";
import type { FieldError } from "#api/meta/field-error.ts";
import type { KindName } from "#api/types.ts";
import type { Clock } from "#base/clock.ts";
import type { Store } from "#store/contract.ts";
import { StoreError } from "#store/error.ts";
import type { Webhooks } from "../webhooks/admission.ts";
import type { Cache } from "./cache.ts";
import { createItem, type Item } from "./item.ts";
import { renderStored, type Stored } from "./stored.ts";

/** Who writes, and how. */
export interface WriteContext {
  readonly user: UserInfo;
  readonly dryRun?: boolean;
  /** Under which name the changed fields are held. */
  readonly fieldManager: string;
  /** The version the object was written in, where that is not the stored one: errors are told in its words. */
  readonly version?: Pick<ServedVersion, "group" | "version" | "translateError">;
  /** The server's own objects, written at its start: no webhook is asked, or one that is down could keep it down. */
  readonly isOwn?: boolean;
  /** Adds a `Warning:` header to the answer. */
  readonly warn?: (text: string) => void;
}

/** What the verbs of `create.ts`, `update.ts` and `delete.ts` stand on. */
export interface WriteBase {
  readonly store: Store;
  readonly clock: Clock;
  readonly admissions: readonly Admission[];
  /** Whoever has the last word before a valid object is written; absent where there are no such kinds. */
  readonly webhooks: Webhooks | undefined;
  cache(kind: KindName): Cache;
  definition(kind: KindName): KindDefinition;
  /** Resolves when the caches show every change acknowledged so far, by whichever server; rejects with `ApiError`. */
  latest(): Promise<void>;
  /** What is behind a value just committed, so that it is not parsed again when the store tells of it. */
  remember(value: Uint8Array, stored: Stored): void;
}

export type Operation = ({ readonly put: KubeObject } | { readonly delete: KubeObject }) & {
  readonly managers: Managers;
};

/**
 * `undefined`: the change did not happen, because the object is no longer at `expect`; the cache shows by then what it
 * is at.
 */
export async function commit(
  base: WriteBase,
  definition: KindDefinition,
  key: string,
  operation: Operation,
  expect: "absent" | number,
): Promise<Item | undefined> {
  const storeKey = storeKeyOf(definition, key);
  const { managers } = operation;
  try {
    if ("delete" in operation) {
      const result = await base.store.commit([{ type: "delete", key: storeKey, expect }]);
      return result.ok ? createItem(key, operation.delete, result.revision, managers) : await refused(base);
    }
    const stored = { object: operation.put, managers };
    const value = renderStored(stored);
    base.remember(value, stored);
    const result = await base.store.commit([{ type: "put", key: storeKey, value, expect }]);
    if (!result.ok) return await refused(base);
    const cached = base.cache(definition.resource.kind).get(key);
    return cached?.revision === result.revision ? cached : createItem(key, operation.put, result.revision, managers);
  } catch (error) {
    throw error instanceof StoreError ? answerTo(error) : error;
  }
}

async function refused(base: WriteBase): Promise<undefined> {
  await base.latest();
}

/** No `Retry-After`: whether the change was made may be unknown, so that a client must look before it repeats it. */
function answerTo({ code, message }: StoreError): ApiError {
  return new ApiError(code === "too-large" ? "RequestEntityTooLarge" : "InternalError", message);
}

export const storePrefix = "/registry/";

export function storeKeyOf({ resource: { plural } }: KindDefinition, key: string): string {
  return `${storePrefix}${plural}/${key}`;
}

/**
 * Runs the admissions of a kind in order, then `proceed`; whatever they reserved is settled by whether it succeeded.
 * A dry run never keeps anything. `proceed` calls `secure` when the object is valid, right before it writes.
 */
export async function withAdmission<T>(
  base: WriteBase,
  request: AdmissionRequest,
  proceed: (secure: () => Promise<void>) => Promise<T | undefined>,
): Promise<T | undefined> {
  const admitted: Admission[] = [];
  let committed = false;
  try {
    for (const admission of base.admissions) {
      if (!admission.kinds.includes(request.kind)) continue;
      // Listed before it runs: one that throws half-way may have reserved something already.
      admitted.push(admission);
      await admission.admit(request);
    }
    const result = await proceed(async () => {
      for (const admission of admitted) await admission.secure?.(request);
    });
    committed = result !== undefined && !request.dryRun;
    return result;
  } finally {
    for (const admission of admitted) await admission.settle?.(request, committed);
  }
}

export function admissionRequest(
  definition: KindDefinition,
  context: WriteContext,
  fields: Pick<AdmissionRequest, "operation" | "object" | "before" | "subresource">,
): AdmissionRequest {
  return {
    ...fields,
    kind: definition.resource.kind,
    dryRun: context.dryRun === true,
    user: context.user,
    warn: (text) => context.warn?.(text),
  };
}

/** Throws `Invalid` when there are errors, in the group and the fields of the version that was written. */
export function refuseInvalid(
  { resource }: Pick<KindDefinition, "resource">,
  { version }: WriteContext,
  name: string,
  errors: readonly FieldError[],
): void {
  if (errors.length === 0) return;
  const { group = splitApiVersion(resource.apiVersion).group, translateError = (error: FieldError) => error } =
    version ?? {};
  throw invalid(
    resource.kind,
    group,
    name,
    errors.map((error) => translateError(error)),
  );
}

export function passWarnings(
  definition: KindDefinition,
  context: WriteContext,
  object: KubeObject,
  before: KubeObject | undefined,
): void {
  if (context.warn === undefined) return;
  for (const text of definition.warnings?.(object, before) ?? []) context.warn(text);
}
