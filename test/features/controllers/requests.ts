import type { Admission, AdmissionRequest, Companion } from "#api/admission.ts";
import type { Service } from "#api/core/service/kind.ts";
import { keyOf } from "#api/meta/object.ts";
import { isApiError } from "#api/meta/status.ts";
import type { Client } from "#client/contract.ts";
import { createFakeClient } from "#client/fake.ts";

/**
 * Sends Services through an admission as the API server does; answers what would be stored. What is written along goes to
 * `client`, claims and their owners to `claims`, one after the other.
 */
export function requestsTo(
  admission: Admission,
  { client = createFakeClient(), claims = new Map() }: { client?: Client; claims?: Map<string, string> } = {},
) {
  /** Whether it could be had. */
  async function accompanied(companion: Companion, owner: string): Promise<boolean> {
    if ("claim" in companion) {
      const isFree = (claims.get(companion.claim) ?? owner) === owner;
      if (isFree) claims.set(companion.claim, owner);
      return isFree;
    }
    if ("release" in companion) {
      if (claims.get(companion.release) === owner) claims.delete(companion.release);
      return true;
    }
    if ("remove" in companion) {
      const found = await client.get(companion.kind, companion.remove);
      if (found !== undefined && companion.when(found)) await client.delete(companion.kind, companion.remove);
      return true;
    }
    try {
      await client.create(companion.kind, companion.create);
      return true;
    } catch (error) {
      if (!isApiError(error, "AlreadyExists")) throw error;
      return false;
    }
  }

  async function accompany(request: AdmissionRequest): Promise<void> {
    for (;;) {
      let contested: Companion | undefined;
      for (const companion of admission.accompany?.(request) ?? []) {
        if (await accompanied(companion, keyOf(request.object))) continue;
        contested = companion;
        break;
      }
      if (contested === undefined) return;
      admission.contested?.(request, contested);
    }
  }

  async function send(request: Partial<AdmissionRequest>, object: Service, committed: boolean): Promise<Service> {
    const whole: AdmissionRequest = {
      operation: "CREATE",
      kind: "Service",
      object: structuredClone(object),
      dryRun: false,
      user: { name: "admin", groups: [] },
      warn() {},
      ...request,
    };
    try {
      await admission.admit(whole);
      if (!whole.dryRun && committed) await accompany(whole);
    } catch (error) {
      await admission.settle?.(whole, false);
      throw error;
    }
    await admission.settle?.(whole, committed && !whole.dryRun);
    return whole.object as Service;
  }
  return {
    create: (object: Service, { committed = true, dryRun = false } = {}) => send({ dryRun }, object, committed),
    update: (before: Service, object: Service, { committed = true } = {}) =>
      send({ operation: "UPDATE", before }, object, committed),
    delete: (object: Service) => send({ operation: "DELETE" }, object, true),
  };
}
