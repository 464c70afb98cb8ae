/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** All that the API server and its clients present to each other. */
export interface Certificates {
  /** PEM of the cluster's authority. */
  readonly ca: string;
  readonly server: KeyPair;
  /** `O=system:masters`: the kubeconfig for people. */
  readonly admin: KeyPair;
  /** `CN=system:node:fairlead-agent, O=system:nodes`. */
  readonly agent: KeyPair;
}

export interface CertificateOptions {
  /** Where the files live (created 0700); key files are 0600. */
  directory: string;
  clusterDomain?: string;
  /** First address of the service range; 10.96.0.1 by default. */
  serviceAddress?: string;
  /** Further names and addresses the server is reached by (uplink, user's own). */
  names?: readonly string[];
  now?: number;
}

/**
 * Loads the certificates of `directory`, and issues what is missing, near its end, or lacks a name. The authority is
 * made once and kept.
 */
export function loadCertificates(_options: CertificateOptions): Promise<Certificates> {
  throw new Error("being built");
}
