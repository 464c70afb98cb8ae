import { createSecureContext, type SecureContext } from "node:tls";
import type { CertificateEntry } from "../table.ts";

/** The certificates of a worker, made ready for handshakes. */
export class Certificates {
  private readonly contexts = new Map<string, SecureContext>();
  private readonly entries = new Map<string, CertificateEntry>();

  /** Replaces or removes one. Returns why it cannot be used, and then keeps what was there. */
  set(id: string, entry: CertificateEntry | undefined): string | undefined {
    if (entry === undefined) {
      this.contexts.delete(id);
      this.entries.delete(id);
      return undefined;
    }
    try {
      this.contexts.set(id, createSecureContext({ cert: entry.cert, key: entry.key, minVersion: "TLSv1.2" }));
      this.entries.set(id, entry);
      return undefined;
    } catch (error) {
      // OpenSSL's words name the defect, never the key.
      return (error as NodeJS.ErrnoException).code ?? "the certificate and key cannot be read";
    }
  }

  context(id: string | undefined): SecureContext | undefined {
    return id === undefined ? undefined : this.contexts.get(id);
  }

  entry(id: string): CertificateEntry | undefined {
    return this.entries.get(id);
  }
}
