import { webcrypto } from "node:crypto";
import type * as Library from "@peculiar/x509";

/**
 * The certificate library, loaded on first use because it is large and rarely needed, after the polyfill that its
 * dependency injection asks for.
 */
export async function loadX509(): Promise<typeof Library> {
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  x509.cryptoProvider.set(webcrypto);
  return x509;
}
