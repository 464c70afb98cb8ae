import { webcrypto } from "node:crypto";
import { loadX509 } from "#base/x509.ts";

/**
 * A self-signed pair for tests. `names` are alternative names, separated by commas; `cn:NAME` gives a certificate with a
 * common name only, as `openssl req -subj` makes it.
 */
export async function makePair(names: string): Promise<{ cert: string; key: string }> {
  const x509 = await loadX509();
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const common = names.startsWith("cn:") ? names.slice(3) : "test";
  const alternatives = names.startsWith("cn:") ? [] : names.split(",");
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: "01",
      name: `CN=${common}`,
      notBefore: new Date("2026-01-01"),
      notAfter: new Date("2046-01-01"),
      signingAlgorithm: algorithm,
      keys,
      extensions:
        alternatives.length === 0
          ? []
          : [new x509.SubjectAlternativeNameExtension(alternatives.map((value) => ({ type: "dns", value })))],
    },
    webcrypto,
  );
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return {
    cert: certificate.toString("pem"),
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
  };
}
