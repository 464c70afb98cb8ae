import { keyOf } from "#api/meta/object.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { AdmissionRequest } from "#api/admission.ts";
import type { NumberRange } from "./range.ts";

/**
 * Keeps a range in step with the requests that use it: what a request takes is kept when it commits and given back when
 * it does not, and what a committed change no longer uses becomes free. A dry run keeps nothing.
 */
export interface Ledger {
  /** Runs `claim`; everything it took is given back when it throws. */
  admit(request: AdmissionRequest, claim: (taking: Taking) => void): void;
  settle(request: AdmissionRequest, committed: boolean): void;
  /** Marks what existing Services hold; answers those whose numbers another one already had. */
  seed(services: readonly Service[]): Service[];
  /** Takes in what another server has let a Service have, or take back. */
  follow(before: Service | undefined, after: Service | undefined): void;
}

export interface Taking {
  /** False when somebody holds the number. */
  take(number: number): boolean;
  /** `undefined` when the range is full. */
  pick(): number | undefined;
}

/** `numbersOf`: the numbers of the range that a Service holds. */
export function createLedger(range: NumberRange, numbersOf: (service: Service) => readonly number[]): Ledger {
  const taken = new WeakMap<AdmissionRequest, number[]>();

  function giveBack(request: AdmissionRequest): void {
    const owner = keyOf(request.object);
    for (const number of taken.get(request) ?? []) range.release(number, owner);
    taken.delete(request);
  }

  return {
    admit(request, claim) {
      const owner = keyOf(request.object);
      const numbers: number[] = [];
      taken.set(request, numbers);
      try {
        claim({
          take(number) {
            const got = range.take(number, owner);
            if (got) numbers.push(number);
            return got;
          },
          pick() {
            const number = range.pick(owner);
            if (number !== undefined) numbers.push(number);
            return number;
          },
        });
      } catch (error) {
        giveBack(request);
        throw error;
      }
      if (request.dryRun) giveBack(request);
    },
    settle(request, committed) {
      if (!committed) return giveBack(request);
      taken.delete(request);
      if (request.dryRun || request.operation === "CREATE" || request.subresource !== undefined) return;
      const object = request.object as Service;
      const before = (request.before ?? object) as Service;
      const kept = new Set(isLastWrite(request) ? [] : numbersOf(object));
      for (const number of numbersOf(before)) if (!kept.has(number)) range.release(number, keyOf(before));
    },
    seed(services) {
      return services.filter((service) => {
        const owner = keyOf(service);
        return !numbersOf(service).every((number) => range.take(number, owner) || range.ownerOf(number) === owner);
      });
    },
    follow(before, after) {
      const kept = after === undefined ? [] : numbersOf(after);
      for (const number of before === undefined ? [] : numbersOf(before)) {
        if (!kept.includes(number)) range.release(number, keyOf(before as Service));
      }
      for (const number of kept) range.take(number, keyOf(after as Service));
    },
  };
}

/** Whether the object is gone once the request commits: a DELETE nothing holds up, or the end of the last finalizer. */
export function isLastWrite({ operation, object }: AdmissionRequest): boolean {
  const held = (object.metadata.finalizers?.length ?? 0) > 0;
  return !held && (operation === "DELETE" || object.metadata.deletionTimestamp !== undefined);
}
