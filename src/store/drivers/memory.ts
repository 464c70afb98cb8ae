import type { Store } from "../contract.ts";

/** A store that lives and dies with the process. */
export function createMemoryStore(): Store {
  throw new Error("being built");
}
