import type { Admission, AdmissionRequest, UserInfo } from "#api/admission.ts";
import type { KindDefinition, ServedVersion } from "#api/kind.ts";
import type { Managers } from "#api/merge/managers.ts";
import type { KubeObject } from "#api/meta/object.ts";
import type { KindName } from "#api/types.ts";
import type { Clock } from "#base/clock.ts";
import type { CommitResult, Store, Write } from "#store/contract.ts";
import type { Webhooks } from "../webhooks/admission.ts";
import type { Cache } from "./cache.ts";
import { alone, companyOf, putWrite, type CompanionWrite, type Company } from "./companions.ts";
import { answerTo } from "./errors.ts";
import { createItem, type Item } from "./item.ts";
import { isClaim, storeKeyOf } from "./keys.ts";
import type { Stored } from "./stored.ts";

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
  /** What is claimed, by name; see `Companion`. */
  readonly claims: Cache;
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
 * Writes the object and its company under one revision. `undefined`: nothing happened, because the object is no longer at
 * `expect`; the cache shows by then what it is at. Throws `ApiError`.
 */
export async function commit(
  base: WriteBase,
  definition: KindDefinition,
  key: string,
  operation: Operation,
  expect: "absent" | number,
  company: Company = alone,
): Promise<Item | undefined> {
  const storeKey = storeKeyOf(definition, key);
  const { managers } = operation;
  for (;;) {
    // First: it may still change the object.
    const companions = company.writes();
    const own: Write =
      "delete" in operation
        ? { type: "delete", key: storeKey, expect }
        : putWrite(base, storeKey, { object: operation.put, managers }, expect);
    const result = await writeParts(base, own, inParts(inOrder(own, companions), own, base.store.commitLimit));
    if (result.ok) {
      const cached = base.cache(definition.resource.kind).get(key);
      if (cached?.revision === result.revision) return cached;
      return createItem(key, "delete" in operation ? operation.delete : operation.put, result.revision, managers);
    }
    await base.latest();
    if (result.key === storeKey) return undefined;
    const contested = companions.find(({ write: { key } }) => key === result.key);
    if (contested !== undefined) company.contested(contested);
  }
}

/** What comes is there before the object that needs it, what goes outlasts it: as when each were written by itself. */
function inOrder(own: Write, companions: readonly CompanionWrite[]): Write[] {
  const isFor = (type: Write["type"]) =>
    companions.filter(({ write }) => write.type === type).map(({ write }) => write);
  return companions.length === 0 ? [own] : [...isFor("put"), own, ...isFor("delete")];
}

/**
 * What one commit of the store takes at most. Beyond it claims are made ahead and given back behind: they are leaked when
 * this process dies between, and whoever looks after them finds that.
 */
function inParts(writes: readonly Write[], own: Write, limit = Infinity): Write[][] {
  const surplus = writes.length - limit;
  if (surplus <= 0) return [[...writes]];
  const outside = writes.filter((each) => each !== own && isClaim(each)).slice(0, surplus);
  const together = writes.filter((each) => !outside.includes(each));
  const ahead = outside.filter(({ type }) => type === "put");
  const behind = outside.filter(({ type }) => type === "delete");
  return [...chunks(ahead, limit), together, ...chunks(behind, limit)];
}

function chunks<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, index) =>
    values.slice(index * size, (index + 1) * size),
  );
}

/** The answer about the part with the object itself, or about the first that was refused before it. */
async function writeParts(base: WriteBase, own: Write, parts: readonly Write[][]): Promise<CommitResult> {
  let answer: CommitResult | undefined;
  for (const part of parts) {
    const result = await write(base, part);
    if (part.includes(own)) answer = result;
    if (answer === undefined && !result.ok) return result;
    if (answer?.ok === false) break;
  }
  return answer as CommitResult;
}

async function write(base: WriteBase, writes: readonly Write[]): Promise<CommitResult> {
  try {
    return await base.store.commit(writes);
  } catch (error) {
    throw answerTo(error);
  }
}

/**
 * Runs the admissions of a kind in order, then `proceed`; whatever they reserved is settled by whether it succeeded.
 * A dry run never keeps anything. What `proceed` writes has `company`.
 */
export async function withAdmission<T>(
  base: WriteBase,
  request: AdmissionRequest,
  proceed: (company: Company) => Promise<T | undefined>,
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
    const result = await proceed(companyOf(base, admitted, request));
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

export function passWarnings(
  definition: KindDefinition,
  context: WriteContext,
  object: KubeObject,
  before: KubeObject | undefined,
): void {
  if (context.warn === undefined) return;
  for (const text of definition.warnings?.(object, before) ?? []) context.warn(text);
}
