import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Secret } from "#api/core/secret/kind.ts";
import type { CertificateEntry } from "#dataplane/table.ts";

/** What a Secret is worth as a certificate. */
export type CertificateOutcome =
  | { readonly ok: true; readonly entry: CertificateEntry; readonly covers: (host: string) => boolean }
  | { readonly ok: false; readonly code: "tls-secret-not-found" | "tls-secret-invalid"; readonly reason: string };

/**
 * Reads `tls.crt` and `tls.key` (any Secret type that has them, as ingress-nginx) and checks that both parse and belong
 * together. No key material is ever part of a reason. `undefined` is a Secret that does not exist.
 */
export function compileCertificate(id: string, secret: Secret | undefined): CertificateOutcome {
  if (secret === undefined) {
    const [namespace, name] = id.split("/");
    const how = `kubectl create secret tls ${name} --cert=tls.crt --key=tls.key -n ${namespace}`;
    return { ok: false, code: "tls-secret-not-found", reason: `Secret ${id} does not exist; create it with: ${how}` };
  }
  const invalid = (reason: string): CertificateOutcome => {
    return { ok: false, code: "tls-secret-invalid", reason: `Secret ${id} ${reason}` };
  };
  const cert = decode(secret, "tls.crt");
  const key = decode(secret, "tls.key");
  if (cert === undefined) return invalid('has no "tls.crt"; it must hold the certificate as PEM');
  if (key === undefined) return invalid('has no "tls.key"; it must hold the private key as PEM');
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(cert);
  } catch {
    return invalid('has a "tls.crt" that is no PEM certificate');
  }
  let belongs: boolean;
  try {
    belongs = leaf.checkPrivateKey(createPrivateKey(key));
  } catch {
    return invalid('has a "tls.key" that is no unencrypted PEM private key');
  }
  if (!belongs) return invalid('has a "tls.key" that does not belong to its "tls.crt"');
  return { ok: true, entry: { id, cert, key }, covers: (host) => covers(leaf, host) };
}

/**
 * RFC 6125 with the common name used only where there is no alternative name: certificates made with
 * `openssl req -subj /CN=...` have none. A wildcard host is covered by what covers any one label in its place.
 */
function covers(leaf: X509Certificate, host: string): boolean {
  const name = host.startsWith("*.") ? `any-label${host.slice(1)}` : host;
  return leaf.checkHost(name, { subject: "default" }) !== undefined;
}

function decode(secret: Secret, field: string): string | undefined {
  const text = secret.data?.[field];
  return text === undefined || text === "" ? undefined : Buffer.from(text, "base64").toString("utf8");
}
