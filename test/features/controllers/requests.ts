import type { Admission, AdmissionRequest } from "#api/admission.ts";
import type { Service } from "#api/core/service/kind.ts";

/** Sends Services through an admission as the API server does; answers what would be stored. */
export function requestsTo(admission: Admission) {
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
      if (!whole.dryRun) await admission.secure?.(whole);
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
