import type { X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import type { ClientAuth } from "../table.ts";
import type { ClientCertificate, TlsPeer } from "../transport/connection.ts";

/** The client of a socket; what nobody asks for is not looked up. */
export class SocketPeer implements TlsPeer {
  readonly checkedBy: string | undefined;
  readonly certificate: ClientCertificate | undefined;
  private readonly socket: TLSSocket;

  /** `rules` are those that the client was asked by in this handshake. */
  constructor(socket: TLSSocket, rules: ClientAuth | undefined) {
    this.socket = socket;
    this.checkedBy = rules?.id;
    // "Authorized" alone says nothing: Node says it of resumed sessions without any certificate.
    const shown = rules === undefined ? undefined : socket.getPeerX509Certificate();
    if (rules !== undefined && shown !== undefined) {
      this.certificate = new ShownCertificate(shown, problemOf(socket, rules));
    }
  }

  get serverName(): string {
    // Typed as a string, and `false` where the client names none.
    const { servername } = this.socket as { servername?: string | false | null };
    return typeof servername === "string" ? servername.toLowerCase().replace(/\.$/, "") : "";
  }
}

class ShownCertificate implements ClientCertificate {
  readonly problem: string | undefined;
  private readonly certificate: X509Certificate;
  private written: string | undefined;

  constructor(certificate: X509Certificate, problem: string | undefined) {
    this.certificate = certificate;
    this.problem = problem;
  }

  get subject(): string {
    return (this.written ??= distinguishedName(this.certificate.subject));
  }

  get issuer(): string {
    return distinguishedName(this.certificate.issuer);
  }

  get pem(): string {
    return this.certificate.toString();
  }
}

function problemOf(socket: TLSSocket, { depth }: ClientAuth): string | undefined {
  if (!socket.authorized) {
    const { authorizationError: error } = socket as { authorizationError: string | NodeJS.ErrnoException | null };
    return (typeof error === "string" ? error : error?.code) ?? "UNSPECIFIED";
  }
  // The leaf and the trusted one are not counted (OpenSSL since 1.1.0).
  return chainLength(socket.getPeerCertificate(true)) - 2 > depth ? "CERT_CHAIN_TOO_LONG" : undefined;
}

function chainLength(leaf: DetailedPeerCertificate): number {
  const seen = new Set<string>();
  for (let at: DetailedPeerCertificate | undefined = leaf; at !== undefined; at = at.issuerCertificate) {
    if (seen.has(at.fingerprint256)) break;
    seen.add(at.fingerprint256);
  }
  return seen.size;
}

/** Node has one part a line, in the order of the certificate; RFC 2253 begins with the last and escapes what is not ASCII. */
export function distinguishedName(lines: string | undefined): string {
  const parts = (lines ?? "").split("\n").filter((part) => part !== "");
  return parts
    .reverse()
    .join(",")
    .replace(/[^ -~]/gu, (character) =>
      [...Buffer.from(character)].map((byte) => `\\${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
    );
}
