import { webcrypto } from "node:crypto";
import type * as Library from "@peculiar/x509";

type Metadata = Map<unknown, unknown>;

/**
 * The certificate library, loaded on first use because it is large and rarely needed. It refuses to load without the
 * three functions of the metadata proposal that its dependency injection calls; they are added to `Reflect` here, unless
 * somebody already has.
 */
export async function loadX509(): Promise<typeof Library> {
  addMetadata(Reflect as { getMetadata?: unknown });
  const x509 = await import("@peculiar/x509");
  x509.cryptoProvider.set(webcrypto);
  return x509;
}

function addMetadata(reflect: { getMetadata?: unknown }): void {
  if (reflect.getMetadata !== undefined) return;
  const stored = new WeakMap<object, Metadata>();
  const own = (key: unknown, target: object): unknown => stored.get(target)?.get(key);
  Object.assign(reflect, {
    defineMetadata(key: unknown, value: unknown, target: object) {
      const found = stored.get(target) ?? new Map<unknown, unknown>();
      stored.set(target, found.set(key, value));
    },
    getOwnMetadata: own,
    getMetadata(key: unknown, target: object) {
      let at: object | null = target;
      while (at !== null && own(key, at) === undefined) at = Reflect.getPrototypeOf(at);
      return at === null ? undefined : own(key, at);
    },
  });
}
