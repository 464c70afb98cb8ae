import { renderPage, type Answer } from "../page.ts";
import type { Edits } from "../filters/edits.ts";
import { compilePattern, type Pattern } from "../pattern.ts";
import type { ClientAuth } from "../table.ts";
import type { ClientCertificate, TlsPeer } from "../transport/connection.ts";

export interface Refusal {
  readonly answer: Answer;
  readonly reason: string;
}

/** nginx's answers 495 and 496, which clients see as 400. */
const titles = { bad: "The SSL certificate error", none: "No required SSL certificate was sent" } as const;

/** OpenSSL's words for what nginx lets pass with `optional_no_ca` (`ngx_ssl_verify_error_optional`). */
const withoutAuthority = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_UNTRUSTED",
]);

/**
 * Whether a request over TLS may go to a host that takes only some clients. The certificate has to have been asked for by
 * the very rules that hold now, in a handshake for this host: a connection that was made for another one gets 421, so that
 * the client makes a new one (RFC 9110 section 15.5.20). One whose client named no server was not asked.
 */
export function whyNotAdmitted(rules: ClientAuth, host: string, peer: TlsPeer): Refusal | undefined {
  const { serverName, checkedBy, certificate } = peer;
  if (serverName !== "" && (serverName !== host || checkedBy !== rules.id)) {
    const reason = serverName === host ? "the rules for its certificate have changed" : `its TLS is for ${serverName}`;
    return { answer: { status: 421 }, reason };
  }
  if (certificate === undefined && rules.verify === "on") return withoutCertificate(rules);
  const problem = certificate?.problem;
  const passes = problem === undefined || (rules.verify === "optional_no_ca" && withoutAuthority.has(problem));
  if (!passes) return refusal(rules, "bad", wordsOf(problem));
  return hasSubject(rules, certificate?.subject ?? "") ? undefined : anotherSubject;
}

/** ingress-nginx's answer by `auth-tls-match-cn`. */
export const anotherSubject: Refusal = {
  answer: { status: 403, body: "client certificate unauthorized" },
  reason: "the certificate is for somebody else",
};

const patterns = new WeakMap<ClientAuth, Pattern | undefined>();

/** Whether the rules' expression occurs in the subject. One that cannot be read, or takes too long, lets nobody in. */
function hasSubject(rules: ClientAuth, subject: string): boolean {
  if (rules.subject === undefined) return true;
  if (!patterns.has(rules)) patterns.set(rules, compilePattern(`.*?(?:${rules.subject})`, "s"));
  const found = patterns.get(rules)?.exec(subject);
  return found !== undefined && found !== "undecided";
}

export function withoutCertificate(rules: Pick<ClientAuth, "errorPage">): Refusal {
  return refusal(rules, "none", "no certificate");
}

function refusal({ errorPage }: Pick<ClientAuth, "errorPage">, kind: keyof typeof titles, reason: string): Refusal {
  if (errorPage !== undefined) return { answer: { status: 302, fields: [["Location", errorPage]] }, reason };
  const page = renderPage(400, `400 ${titles[kind]}`).replace(
    /<h1>.*<\/h1><\/center>/,
    `<h1>400 Bad Request</h1></center>\r\n<center>${titles[kind]}</center>`,
  );
  return { answer: { status: 400, body: page }, reason };
}

/** Tells the endpoint about the client, in place of whatever the client said itself. */
export function tellEndpoint(edits: Edits, { passCertificate }: ClientAuth, { certificate }: TlsPeer): void {
  edits.set("ssl-client-verify", verdictOf(certificate));
  edits.set("ssl-client-subject-dn", certificate?.subject);
  edits.set("ssl-client-issuer-dn", certificate?.issuer);
  const isPassed = passCertificate && certificate !== undefined;
  edits.set("ssl-client-cert", isPassed ? encodeURIComponent(certificate.pem) : undefined);
}

/** nginx's `$ssl_client_verify`. */
function verdictOf(certificate: ClientCertificate | undefined): string {
  if (certificate === undefined) return "NONE";
  return certificate.problem === undefined ? "SUCCESS" : `FAILED:${wordsOf(certificate.problem)}`;
}

const words: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "self-signed certificate",
  SELF_SIGNED_CERT_IN_CHAIN: "self-signed certificate in certificate chain",
  UNABLE_TO_GET_ISSUER_CERT: "unable to get issuer certificate",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "unable to get local issuer certificate",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "unable to verify the first certificate",
  UNABLE_TO_GET_CRL: "unable to get certificate CRL",
  CERT_HAS_EXPIRED: "certificate has expired",
  CERT_NOT_YET_VALID: "certificate is not yet valid",
  CERT_REVOKED: "certificate revoked",
  CERT_UNTRUSTED: "certificate not trusted",
  CERT_CHAIN_TOO_LONG: "certificate chain too long",
  CRL_HAS_EXPIRED: "CRL has expired",
  INVALID_PURPOSE: "unsuitable certificate purpose",
};

/** What OpenSSL says of a certificate (`X509_verify_cert_error_string`). */
function wordsOf(problem: string): string {
  return words[problem] ?? problem.toLowerCase().replaceAll("_", " ");
}
