import { createHash, verify, X509Certificate } from "node:crypto";
import {
  childrenOf,
  contentOf,
  oid,
  readElement,
  readGeneralizedTime,
  tag,
  wholeOf,
  writeElement,
  type Element,
} from "./der.ts";

/** Tells a certificate from all others of its authority (RFC 6960 section 4.1.1, `CertID` with SHA-1). */
export interface CertificateId {
  readonly nameHash: Buffer;
  readonly keyHash: Buffer;
  readonly serial: Buffer;
}

/** What a responder says of a certificate; times in milliseconds since the epoch. */
export type OcspOutcome =
  | { readonly type: "good"; readonly thisUpdate: number; readonly nextUpdate: number | undefined }
  /** The responder says that it is not good, or what it says cannot be used. */
  | { readonly type: "unusable"; readonly reason: string };

const sha1 = oid("1.3.14.3.2.26");
const basicResponse = oid("1.3.6.1.5.5.7.48.1.1");
const ocspSigning = "1.3.6.1.5.5.7.3.9";

/** The digests of signature algorithms, by their object identifier. */
const digests: Readonly<Record<string, string>> = {
  [oid("1.2.840.113549.1.1.5")]: "sha1",
  [oid("1.2.840.113549.1.1.11")]: "sha256",
  [oid("1.2.840.113549.1.1.12")]: "sha384",
  [oid("1.2.840.113549.1.1.13")]: "sha512",
  [oid("1.2.840.10045.4.3.2")]: "sha256",
  [oid("1.2.840.10045.4.3.3")]: "sha384",
  [oid("1.2.840.10045.4.3.4")]: "sha512",
};

const hashOf = (bytes: Buffer) => createHash("sha1").update(bytes).digest();

/** `undefined` where the certificate, or that of its authority, cannot be read so far. */
export function certificateId(certificate: X509Certificate, issuer: X509Certificate): CertificateId | undefined {
  const [own, above] = [fieldsOf(certificate.raw), fieldsOf(issuer.raw)];
  const [, key] = above === undefined ? [] : childrenOf(above.publicKey);
  if (own === undefined || key?.tag !== tag.bitString) return undefined;
  // The first byte of a bit string counts the bits that are not used.
  return {
    nameHash: hashOf(wholeOf(own.issuer)),
    keyHash: hashOf(contentOf(key).subarray(1)),
    serial: contentOf(own.serial),
  };
}

function fieldsOf(certificate: Buffer): { serial: Element; issuer: Element; publicKey: Element } | undefined {
  const whole = readElement(certificate);
  const [signed] = whole === undefined ? [] : childrenOf(whole);
  const fields = signed === undefined ? [] : childrenOf(signed);
  const at = fields[0]?.tag === tag.context ? 1 : 0;
  const [serial, issuer, publicKey] = [fields[at], fields[at + 2], fields[at + 5]];
  return serial === undefined || issuer === undefined || publicKey === undefined
    ? undefined
    : { serial, issuer, publicKey };
}

/** Asks about one certificate, without a nonce, so that responders can answer from what they have (RFC 5019). */
export function writeOcspRequest({ nameHash, keyHash, serial }: CertificateId): Buffer {
  const algorithm = writeElement(
    tag.sequence,
    writeElement(tag.oid, Buffer.from(sha1, "hex")),
    writeElement(tag.nothing),
  );
  const id = writeElement(
    tag.sequence,
    algorithm,
    writeElement(tag.octetString, nameHash),
    writeElement(tag.octetString, keyHash),
    writeElement(tag.integer, serial),
  );
  const list = writeElement(tag.sequence, writeElement(tag.sequence, id));
  return writeElement(tag.sequence, writeElement(tag.sequence, list));
}

/**
 * What a response says of the certificate, checked as RFC 6960 section 3.2 asks: it is about this certificate, signed by
 * its authority or by whom that has given the right to, and its time has come.
 */
export function readOcspResponse(bytes: Buffer, id: CertificateId, issuer: X509Certificate, now: number): OcspOutcome {
  const basic = basicOf(bytes);
  if (typeof basic === "string") return unusable(basic);
  const [data, algorithm, signature, certificates] = basic;
  if (data === undefined || algorithm === undefined || signature?.tag !== tag.bitString) return unusable("it is cut");
  const single = singlesOf(data).find((candidate) => isAbout(candidate, id));
  if (single === undefined) return unusable("it is about another certificate");
  if (!isSigned({ data, algorithm, signature, certificates }, issuer)) return unusable("it is signed by somebody else");
  const [, status, begin, end] = childrenOf(single);
  if (status?.tag === (tag.context | 1)) return unusable("the certificate was revoked");
  const thisUpdate = begin === undefined ? undefined : readGeneralizedTime(begin);
  const next = end?.tag === tag.context ? childrenOf(end)[0] : undefined;
  const nextUpdate = next === undefined ? undefined : readGeneralizedTime(next);
  if (status?.tag !== tag.plainContext || thisUpdate === undefined) return unusable("the certificate is not known");
  // Clocks differ a little.
  if (thisUpdate > now + 300_000) return unusable("its time has not come");
  if (nextUpdate !== undefined && nextUpdate < now) return unusable("its time is over");
  return { type: "good", thisUpdate, nextUpdate };
}

const unusable = (reason: string): OcspOutcome => ({ type: "unusable", reason });

const statuses = ["", "malformed request", "internal error", "try later", "", "signature required", "unauthorized"];

function basicOf(bytes: Buffer): readonly Element[] | string {
  const whole = readElement(bytes);
  const [status, body] = whole === undefined ? [] : childrenOf(whole);
  if (status?.tag !== tag.enumerated) return "it is no OCSP response";
  const code = contentOf(status)[0] ?? 0;
  if (code !== 0) return `the responder says: ${statuses[code] || String(code)}`;
  const [outer] = body === undefined ? [] : childrenOf(body);
  const [type, text] = outer === undefined ? [] : childrenOf(outer);
  if (type === undefined || text === undefined || contentOf(type).toString("hex") !== basicResponse) {
    return "it is of a kind that is not known";
  }
  const basic = readElement(contentOf(text));
  return basic === undefined ? "it is cut" : childrenOf(basic);
}

/** The answers: behind the version, which need not be there, the responder and the time. */
function singlesOf(data: Element): readonly Element[] {
  const list = childrenOf(data).find(({ tag: found }) => found === tag.sequence);
  return list === undefined ? [] : childrenOf(list);
}

function isAbout(single: Element, { nameHash, keyHash, serial }: CertificateId): boolean {
  const [id] = childrenOf(single);
  const [algorithm, ...parts] = id === undefined ? [] : childrenOf(id);
  const [hash] = algorithm === undefined ? [] : childrenOf(algorithm);
  if (hash === undefined || contentOf(hash).toString("hex") !== sha1) return false;
  return [nameHash, keyHash, serial].every((wanted, at) => {
    const part = parts[at];
    return part !== undefined && contentOf(part).equals(wanted);
  });
}

interface Signed {
  readonly data: Element;
  readonly algorithm: Element;
  readonly signature: Element;
  readonly certificates: Element | undefined;
}

function isSigned({ data, algorithm, signature, certificates }: Signed, issuer: X509Certificate): boolean {
  const [name] = childrenOf(algorithm);
  const digest = name === undefined ? undefined : digests[contentOf(name).toString("hex")];
  if (digest === undefined) return false;
  const signers = [issuer, ...delegates(certificates, issuer)];
  return signers.some(({ publicKey }) => {
    try {
      return verify(digest, wholeOf(data), publicKey, contentOf(signature).subarray(1));
    } catch {
      return false;
    }
  });
}

/** Certificates in the response that the authority has made for signing responses (RFC 6960 section 4.2.2.2). */
function delegates(certificates: Element | undefined, issuer: X509Certificate): X509Certificate[] {
  const [list] = certificates === undefined ? [] : childrenOf(certificates);
  return (list === undefined ? [] : childrenOf(list)).slice(0, 4).flatMap((element) => {
    try {
      const certificate = new X509Certificate(wholeOf(element));
      const maySign = certificate.keyUsage?.includes(ocspSigning) === true && certificate.verify(issuer.publicKey);
      return maySign ? [certificate] : [];
    } catch {
      return [];
    }
  });
}
