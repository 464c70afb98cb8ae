import { constants } from "node:crypto";

/** How TLS is spoken with clients. */
export interface TlsSettings {
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  readonly maxVersion: "TLSv1.2" | "TLSv1.3";
  /** For TLS 1.2, as OpenSSL names them; those of TLS 1.3 are always the same. */
  readonly ciphers: string;
  /** Groups of the key exchange, as OpenSSL names them; `auto` for its own choice. */
  readonly curves: string;
}

/** As ingress-nginx has them. */
export const defaultTls: TlsSettings = {
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.3",
  ciphers: [
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "DHE-RSA-AES128-GCM-SHA256",
    "DHE-RSA-AES256-GCM-SHA384",
  ].join(":"),
  curves: "auto",
};

/**
 * The options of Node's TLS that say so; `ciphers` are a host's own. Clients of TLS 1.2 may not renegotiate, as with nginx:
 * each time costs us a handshake.
 */
export function secureOptionsOf({ minVersion, maxVersion, curves, ...all }: TlsSettings, ciphers = all.ciphers) {
  const secureOptions = constants.SSL_OP_NO_RENEGOTIATION;
  return { minVersion, maxVersion, ciphers, ecdhCurve: curves, secureOptions, honorCipherOrder: true } as const;
}
