import type { Store } from "../contract.ts";
import { createGroupedStore } from "../group.ts";
import { emptyState } from "../state.ts";

const nothing = () => {};

/** A store that lives and dies with the process. */
export function createMemoryStore(): Store {
  return createGroupedStore(emptyState, {
    persist: nothing,
    compact: nothing,
    close: nothing,
    schedule: (flush) => queueMicrotask(flush),
  });
}
