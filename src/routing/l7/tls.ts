import type { Ingress } from "#api/networking/ingress/kind.ts";
import { sourceOf, type Because, type Problem } from "../because.ts";
import type { CertificateOutcome } from "./certificate.ts";

/** TLS of one host. It exists as soon as a `tls` section asks for it, whatever its Secret is worth. */
export interface HostTls {
  /** The certificate's id; absent: the default certificate. */
  readonly certificate?: string;
  readonly because: Because;
  readonly problems: readonly Problem[];
}

/** The state of a Secret: `undefined` while it is not loaded. */
export type CertificateLookup = (key: string) => CertificateOutcome | undefined;

/**
 * Which certificate a host gets, from the first of these Ingresses, oldest first, that has a `tls` entry for it: an
 * entry that names the host, or one without hosts, or one whose certificate covers the host (ingress-nginx
 * `extractTLSSecretName`). A Secret that is missing, wrong or for other names leaves the host with the default
 * certificate and a problem that says so.
 */
export function compileTls(
  host: string,
  ingresses: readonly Ingress[],
  lookup: CertificateLookup,
): HostTls | undefined {
  if (host === "*") return undefined;
  for (const ingress of ingresses) {
    const chosen = entryFor(host, ingress, lookup);
    if (chosen === undefined) continue;
    const source = sourceOf(ingress, chosen.field);
    const { namespace } = ingress.metadata;
    if (chosen.secretName === undefined) return { because: { from: [source] }, problems: [] };
    const key = `${namespace}/${chosen.secretName}`;
    const from = [
      source,
      { kind: "Secret", name: chosen.secretName, ...(namespace === undefined ? {} : { namespace }) },
    ];
    const outcome = lookup(key);
    const withDefault = (code: string, reason: string): HostTls => {
      const message = `${reason}. Until then ${host} is served with the default certificate`;
      return { because: { from }, problems: [{ at: source, code, message }] };
    };
    if (outcome === undefined) return { because: { from }, problems: [] };
    if (!outcome.ok) return withDefault(outcome.code, outcome.reason);
    if (!outcome.covers(host)) {
      return withDefault("tls-secret-host-mismatch", `the certificate of Secret ${key} is not for ${host}`);
    }
    return { certificate: key, because: { from }, problems: [] };
  }
  return undefined;
}

function entryFor(
  host: string,
  ingress: Ingress,
  lookup: CertificateLookup,
): { secretName: string | undefined; field: string } | undefined {
  const entries = (ingress.spec?.tls ?? []).map(({ hosts = [], secretName }, index) => ({
    hosts: hosts.map((name) => name.toLowerCase()),
    secretName: secretName === "" ? undefined : secretName,
    field: `spec.tls[${index}]`,
  }));
  const named = entries.find(({ hosts }) => hosts.includes(host)) ?? entries.find(({ hosts }) => hosts.length === 0);
  if (named !== undefined) return named;
  return entries.find(({ secretName }) => {
    const outcome = secretName === undefined ? undefined : lookup(`${ingress.metadata.namespace}/${secretName}`);
    return outcome?.ok === true && outcome.covers(host);
  });
}
