import { createSecureContext } from "node:tls";
import type { TlsSettings } from "#dataplane/tls/settings.ts";

type Versions = readonly [TlsSettings["minVersion"], TlsSettings["maxVersion"]];

/** `TLSv1.2`, `TLSv1.3` or both; older ones are not spoken. */
export function parseTlsVersions(text: string): Versions | undefined {
  const words = text.split(/\s+/);
  if (!words.every((word) => word === "TLSv1.2" || word === "TLSv1.3")) return undefined;
  const newest = words.includes("TLSv1.3") ? "TLSv1.3" : "TLSv1.2";
  return [words.includes("TLSv1.2") ? "TLSv1.2" : "TLSv1.3", newest];
}

/** A list of ciphers that OpenSSL knows, in its own words; the characters are those that ingress-nginx takes. */
export function parseCiphers(text: string): string | undefined {
  return /^[A-Za-z0-9+:_\-!]+$/.test(text) && isUsable({ ciphers: text, maxVersion: "TLSv1.2" }) ? text : undefined;
}

/** Names of groups, parted by colons; `auto` for OpenSSL's own choice. */
export function parseCurves(text: string): string | undefined {
  return /^[A-Za-z0-9:_-]+$/.test(text) && isUsable({ ecdhCurve: text }) ? text : undefined;
}

function isUsable(options: Parameters<typeof createSecureContext>[0]): boolean {
  try {
    createSecureContext(options);
    return true;
  } catch {
    return false;
  }
}
