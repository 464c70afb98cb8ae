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
  /** What the request has taken so far. */
  takenBy(request: AdmissionRequest): readonly number[];
  /** What a change gives back once it is made. */
  releasedBy(request: AdmissionRequest): readonly number[];
  /**
   * Picks another number in the place of one that turned out to be another's. `undefined` when the range is full;
   * `"asked"` when the request had asked for this very number.
   */
  pickAnew(request: AdmissionRequest, number: number): number | "asked" | undefined;
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
  /** With each number, whether it was picked. */
  const taken = new WeakMap<AdmissionRequest, Map<number, boolean>>();

  function giveBack(request: AdmissionRequest): void {
    const owner = keyOf(request.object);
    for (const number of taken.get(request)?.keys() ?? []) range.release(number, owner);
    taken.delete(request);
  }

  function releasedBy(request: AdmissionRequest): number[] {
    if (request.dryRun || request.operation === "CREATE" || request.subresource !== undefined) return [];
    const object = request.object as Service;
    const kept = new Set(isLastWrite(request) ? [] : numbersOf(object));
    return numbersOf((request.before ?? object) as Service).filter((number) => !kept.has(number));
  }

  return {
    admit(request, claim) {
      const owner = keyOf(request.object);
      const numbers = new Map<number, boolean>();
      taken.set(request, numbers);
      try {
        claim({
          take(number) {
            // The claim decides.
            range.release(number, stranger);
            const got = range.take(number, owner);
            if (got) numbers.set(number, false);
            return got;
          },
          pick() {
            const number = range.pick(owner);
            if (number !== undefined) numbers.set(number, true);
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
      const owner = keyOf(request.before ?? request.object);
      for (const number of releasedBy(request)) range.release(number, owner);
    },
    takenBy: (request) => [...(taken.get(request)?.keys() ?? [])],
    releasedBy,
    pickAnew(request, number) {
      const numbers = taken.get(request);
      if (numbers?.get(number) !== true) return "asked";
      const owner = keyOf(request.object);
      const next = range.pick(owner);
      if (next === undefined) return undefined;
      range.release(number, owner);
      // It must not be picked again before the other's Service is known here.
      range.take(number, stranger);
      numbers.delete(number);
      numbers.set(next, true);
      return next;
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
        if (kept.includes(number)) continue;
        range.release(number, stranger);
        range.release(number, keyOf(before as Service));
      }
      for (const number of kept) {
        range.release(number, stranger);
        range.take(number, keyOf(after as Service));
      }
    },
  };
}

/** Who has a number that turned out to be another's; no key of an object. */
const stranger = "";

/** Whether the object is gone once the request commits: a DELETE nothing holds up, or the end of the last finalizer. */
export function isLastWrite({ operation, object }: AdmissionRequest): boolean {
  const held = (object.metadata.finalizers?.length ?? 0) > 0;
  return !held && (operation === "DELETE" || object.metadata.deletionTimestamp !== undefined);
}
