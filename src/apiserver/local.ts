import type { UserInfo } from "#api/admission.ts";
import type { Client } from "#client/contract.ts";
import type { Registry } from "./registry/registry.ts";

/** The client contract straight on the registry: same admission, same watch, no HTTP and no JSON text between. */
export function createLocalClient(_registry: Registry, _user: UserInfo): Client {
  throw new Error("being built");
}
