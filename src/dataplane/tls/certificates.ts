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

  constructor(settings: TlsSettings) {
    this.settings = settings;
  }

  /** Replaces or removes one. Returns why it cannot be used, and then keeps what was there. */
  set(id: string, entry: CertificateEntry | undefined): string | undefined {
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

  entry(id: string): CertificateEntry | undefined {
    return this.known.get(id)?.entry;
  }
}
