import type { Admission, AdmissionRequest, Companion } from "#api/admission.ts";
import { keyText, type KubeObject } from "#api/meta/object.ts";
import type { Write } from "#store/contract.ts";
import { claimWrite, isHeldBy, releaseWrite } from "./claims.ts";
import { refuseInvalid } from "./errors.ts";
import { storeKeyOf } from "./keys.ts";
import { trackCreate } from "./managed.ts";
import { stampNew } from "./metadata.ts";
import { operationFor } from "./removal.ts";
import { renderStored, type Stored } from "./stored.ts";
import { type WriteBase, type WriteContext } from "./write.ts";

/** What the admissions of one request want written along with its object. */
export interface Company {
  /** As of now; after a refusal by the store it is asked anew, and the answer is another. */
  writes(): readonly CompanionWrite[];
  /** The store refused this one, which has been told to the caches. Throws `ApiError` when that refuses the request. */
  contested(write: CompanionWrite): void;
}

export interface CompanionWrite {
  readonly companion: Companion;
  readonly admission: Admission;
  readonly write: Write;
}

/** A write with nobody along. */
export const alone: Company = { writes: () => [], contested() {} };

/** The name that the server writes under of its own accord; upstream's, by which it calls itself. */
const ownContext: WriteContext = {
  user: { name: "system:apiserver", groups: ["system:masters"] },
  fieldManager: "kube-apiserver",
  isOwn: true,
};

export function companyOf(base: WriteBase, admitted: readonly Admission[], request: AdmissionRequest): Company {
  const asked = admitted.filter((admission) => admission.accompany !== undefined);
  if (asked.length === 0) return alone;
  return {
    writes: () =>
      asked.flatMap((admission) =>
        (admission.accompany?.(request) ?? []).flatMap((companion) => {
          const write = writeOf(base, request.object, companion);
          return write === undefined ? [] : [{ companion, admission, write }];
        }),
      ),
    contested({ admission, companion }) {
      if ("create" in companion || "claim" in companion) admission.contested?.(request, companion);
    },
  };
}

/** `undefined`: there is nothing to be done. */
function writeOf(base: WriteBase, owner: KubeObject, companion: Companion): Write | undefined {
  if ("create" in companion) return createWrite(base, companion);
  if ("remove" in companion) return removeWrite(base, companion);
  const name = "claim" in companion ? companion.claim : companion.release;
  const claim = base.claims.get(name);
  const isHeld = claim !== undefined && isHeldBy(claim, owner);
  if ("claim" in companion) return isHeld ? undefined : claimWrite(base, name, owner);
  return isHeld ? releaseWrite(name, claim.revision) : undefined;
}

function createWrite(base: WriteBase, { kind, create }: Extract<Companion, { create: unknown }>): Write {
  const definition = base.definition(kind);
  const { resource } = definition;
  const object: KubeObject = {
    apiVersion: resource.apiVersion,
    kind: resource.kind,
    ...create,
    metadata: { ...create.metadata },
  };
  stampNew(definition, object, base.clock.now());
  definition.applyDefaults(object);
  const managers = trackCreate(base, definition, object, ownContext);
  definition.prepareCreate?.(object);
  refuseInvalid(definition, ownContext, object.metadata.name, definition.validate(object));
  return putWrite(base, storeKeyOf(definition, keyText(object.metadata)), { object, managers }, "absent");
}

/** One with finalizers begins to go, as any other. */
function removeWrite(
  base: WriteBase,
  { kind, remove, when }: Extract<Companion, { remove: unknown }>,
): Write | undefined {
  const definition = base.definition(kind);
  const key = keyText(remove);
  const item = base.cache(kind).get(key);
  if (item === undefined || !when(item.object)) return undefined;
  const operation = operationFor(definition, item, {}, base.clock.now());
  if (operation === undefined) return undefined;
  const storeKey = storeKeyOf(definition, key);
  if ("delete" in operation) return { type: "delete", key: storeKey, expect: item.revision };
  return putWrite(base, storeKey, { object: operation.put, managers: operation.managers }, item.revision);
}

/** A put of an object, known to the caches before the store tells of it. */
export function putWrite(
  base: Pick<WriteBase, "remember">,
  key: string,
  stored: Stored,
  expect: "absent" | number,
): Write {
  const value = renderStored(stored);
  base.remember(value, stored);
  return { type: "put", key, value, expect };
}
