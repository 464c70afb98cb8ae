import { webcrypto } from "node:crypto";
import { loadX509 } from "#base/x509.ts";

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** An authority that signs certificates for tests. */
export interface Authority extends Pair {
  /** A certificate with this subject (`CN=ann`). */
  sign(subject: string, options?: SignOptions): Promise<Pair>;
  /** An authority below this one. */
  below(subject: string): Promise<Authority>;
  /** The list of revoked certificates, as PEM. */
  revoke(certs: readonly string[]): Promise<string>;
}

export interface SignOptions {
  /** Alternative names, separated by commas. */
  readonly names?: string;
  /** Its time is over. */
  readonly expired?: boolean;
  /** Where clients ask whether the certificate was revoked. */
  readonly ocsp?: string;
}

type X509 = Awaited<ReturnType<typeof loadX509>>;

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const life = { notBefore: new Date("2026-01-01"), notAfter: new Date("2046-01-01") };
const over = { notBefore: new Date("2020-01-01"), notAfter: new Date("2020-02-01") };

export async function createAuthority(subject: string): Promise<Authority> {
  const x509 = await loadX509();
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serial(),
      name: subject,
      ...life,
      signingAlgorithm: algorithm,
      keys,
      extensions: ofAuthority(x509),
    },
    webcrypto,
  );
  return authorityOf(x509, certificate, keys);
}

type Certificate = InstanceType<X509["X509Certificate"]>;

async function authorityOf(x509: X509, own: Certificate, keys: webcrypto.CryptoKeyPair): Promise<Authority> {
  const issue = async (subject: string, extensions: ReturnType<typeof ofAuthority>, span = life) => {
    const fresh = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const certificate = await x509.X509CertificateGenerator.create(
      {
        serialNumber: serial(),
        subject,
        issuer: own.subject,
        ...span,
        signingAlgorithm: algorithm,
        publicKey: fresh.publicKey,
        signingKey: keys.privateKey,
        extensions,
      },
      webcrypto,
    );
    return { certificate, keys: fresh };
  };
  return {
    cert: own.toString("pem"),
    key: await pemOf(keys),
    async sign(subject, { names, expired = false, ocsp } = {}) {
      const alternatives = (names ?? "").split(",").filter((name) => name !== "");
      const extensions = [
        new x509.BasicConstraintsExtension(false),
        ...(alternatives.length === 0
          ? []
          : [new x509.SubjectAlternativeNameExtension(alternatives.map((value) => ({ type: "dns", value })))]),
        ...(ocsp === undefined ? [] : [new x509.AuthorityInfoAccessExtension({ ocsp })]),
      ];
      const made = await issue(subject, extensions, expired ? over : life);
      return { cert: made.certificate.toString("pem"), key: await pemOf(made.keys) };
    },
    async below(subject) {
      const made = await issue(subject, ofAuthority(x509));
      return authorityOf(x509, made.certificate, made.keys);
    },
    async revoke(certs) {
      const list = await x509.X509CrlGenerator.create(
        {
          issuer: own.subject,
          thisUpdate: life.notBefore,
          nextUpdate: life.notAfter,
          entries: certs.map((cert) => ({
            serialNumber: new x509.X509Certificate(cert).serialNumber,
            revocationDate: life.notBefore,
          })),
          signingAlgorithm: algorithm,
          signingKey: keys.privateKey,
        },
        webcrypto,
      );
      // The library's label is not the one of RFC 7468, which OpenSSL asks for.
      return list.toString("pem").replaceAll(" CRL-----", " X509 CRL-----");
    },
  };
}

function ofAuthority(x509: X509): InstanceType<X509["Extension"]>[] {
  const { keyCertSign, cRLSign } = x509.KeyUsageFlags;
  return [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
  ];
}

async function pemOf({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", privateKey)).toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`;
}

let issued = 0;

function serial(): string {
  issued += 1;
  return (0x1000 + issued).toString(16);
}
