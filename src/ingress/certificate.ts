import { randomBytes, webcrypto } from "node:crypto";
import { loadX509 } from "#base/x509.ts";
import type { CertificateEntry } from "#dataplane/table.ts";

/** What the default certificate is called in the table; no Secret can have this id, since it has no namespace. */
export const defaultCertificateId = "default";

const yearMs = 365 * 24 * 3600 * 1000;

/**
 * A self-signed certificate (ECDSA P-256, one year) for hosts without one of their own. It vouches for nobody: its names
 * say what it is, so that a client's warning explains itself.
 */
export async function createDefaultCertificate(now: number = Date.now()): Promise<CertificateEntry> {
  const x509 = await loadX509();
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const serial = randomBytes(16);
  serial[0] = (serial[0] ?? 0) & 0x7f || 1;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serial.toString("hex"),
      name: "CN=Fairlead default certificate,O=Fairlead",
      notBefore: new Date(now - 3600 * 1000),
      notAfter: new Date(now + yearMs),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "ingress.fairlead.local" }]),
      ],
    },
    webcrypto,
  );
  const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { id: defaultCertificateId, cert: certificate.toString("pem"), key: pem("PRIVATE KEY", Buffer.from(key)) };
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
