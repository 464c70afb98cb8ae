import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import type { CertificateEntry } from "../table.ts";
import { secureOptionsOf, type TlsSettings } from "./settings.ts";

interface Known {
  readonly entry: CertificateEntry;
  readonly context: SecureContext;
}

/** The certificates of a worker, made ready for handshakes. */
export class Certificates {
  private readonly settings: TlsSettings;
  private readonly known = new Map<string, Known>();
  /** OCSP responses by the certificate as handshakes name it; made when first asked for. */
  private staples: Map<string, Buffer> | undefined;

  constructor(settings: TlsSettings) {
    this.settings = settings;
  }

  /** Replaces or removes one. Returns why it cannot be used, and then keeps what was there. */
  set(id: string, entry: CertificateEntry | undefined): string | undefined {
    this.staples = undefined;
    if (entry === undefined) {
      this.known.delete(id);
      return undefined;
    }
    try {
      const { cert, key } = entry;
      this.known.set(id, { entry, context: createSecureContext({ cert, key, ...secureOptionsOf(this.settings) }) });
      return undefined;
    } catch (error) {
      // OpenSSL's words name the defect, never the key.
      return (error as NodeJS.ErrnoException).code ?? "the certificate and key cannot be read";
    }
  }

  context(id: string | undefined): SecureContext | undefined {
    return id === undefined ? undefined : this.known.get(id)?.context;
  }

  /** The OCSP response for a certificate, if there is one. */
  stapleOf(id: string | undefined): Buffer | undefined {
    const ocsp = id === undefined ? undefined : this.known.get(id)?.entry.ocsp;
    return ocsp === undefined ? undefined : Buffer.from(ocsp, "base64");
  }

  /** The same for a certificate in DER. */
  staple(certificate: Buffer): Buffer | undefined {
    this.staples ??= new Map(
      [...this.known.values()].flatMap(({ entry: { cert, ocsp } }) =>
        ocsp === undefined ? [] : [[new X509Certificate(cert).raw.toString("base64"), Buffer.from(ocsp, "base64")]],
      ),
    );
    return this.staples.size === 0 ? undefined : this.staples.get(certificate.toString("base64"));
  }

  entry(id: string): CertificateEntry | undefined {
    return this.known.get(id)?.entry;
  }
}
