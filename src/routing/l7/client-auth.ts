import { createHash, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { Secret } from "#api/core/secret/kind.ts";
import { parseKey } from "#api/meta/object.ts";
import type { ClientAuth } from "#dataplane/table.ts";
import { sourceOf, type Problem, type Source } from "../because.ts";
import type { Claimant } from "./claim.ts";
import type { Named, RouteSettings } from "./settings.ts";

/** Which clients a host takes; `closed` while that cannot be told, with the reason. */
export interface ClientAuthOutcome {
  readonly entry?: ClientAuth;
  readonly closed?: string;
  readonly from: readonly Source[];
  readonly problems: readonly Problem[];
}

const field = "metadata.annotations[nginx.ingress.kubernetes.io/auth-tls-secret]";

/**
 * By the oldest Ingress of the host that says anything about it (ingress-nginx `createServers`). Without its Secret the
 * whole host is closed: everybody would be let in otherwise.
 */
export function compileClientAuth(
  host: string,
  claimants: readonly Claimant[],
  secretOf: (key: string) => Named<Secret>,
): ClientAuthOutcome | undefined {
  const claimant = claimants.find(({ settings }) => settings.clientAuth !== undefined);
  const wanted = claimant?.settings.clientAuth;
  if (claimant === undefined || wanted === undefined) return undefined;
  const at = sourceOf(claimant.ingress, field);
  const from = [at, { kind: "Secret", ...parseKey(wanted.secret) }];
  const secret = secretOf(wanted.secret);
  if (secret === "pending") return { closed: "the authorities of clients are not loaded", from, problems: [] };
  const outcome = secret === "missing" ? "does not exist" : readAuthorities(secret, wanted);
  if (typeof outcome !== "string") return { entry: outcome, from, problems: [] };
  const message = `auth-tls-secret: Secret ${wanted.secret} ${outcome}; ${host} answers 403 until this is put right`;
  const problems = [{ at, code: "auth-tls-secret-invalid", message }];
  return { closed: "the authorities of clients cannot be used", from, problems };
}

/** What the Secret's `ca.crt` and `ca.crl` say, or why they cannot be used. */
function readAuthorities(secret: Secret, wanted: NonNullable<RouteSettings["clientAuth"]>): ClientAuth | string {
  const text = (key: string) => Buffer.from(secret.data?.[key] ?? "", "base64").toString("utf8");
  const [ca, crl] = [text("ca.crt"), text("ca.crl")];
  const blocks = ca.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) return 'has no "ca.crt"; it must hold the certificates of the authorities as PEM';
  try {
    for (const block of blocks) void new X509Certificate(block);
  } catch {
    return 'has a "ca.crt" with a certificate that cannot be read';
  }
  try {
    createSecureContext({ ca, ...(crl === "" ? {} : { crl }) });
  } catch {
    return 'has a "ca.crl" that is no list of revoked certificates as PEM';
  }
  const { verify, depth, subject, errorPage, passCertificate } = wanted;
  return {
    id: createHash("sha256")
      .update(JSON.stringify([ca, crl, verify, depth]))
      .digest("hex"),
    verify,
    depth,
    ca,
    ...(crl === "" ? {} : { crl }),
    ...(subject === undefined ? {} : { subject }),
    ...(errorPage === undefined ? {} : { errorPage }),
    passCertificate,
  };
}
