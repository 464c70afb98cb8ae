import type { Ingress, IngressBackend, PathType } from "#api/networking/ingress/kind.ts";
import type { RouteSettings } from "./settings.ts";

/** One path that one Ingress wants on one host. */
export interface Claim {
  readonly path: string;
  readonly pathType: PathType;
  /** Absent for a host that is named without paths and without a default backend: it answers 404. */
  readonly backend?: IngressBackend;
  /** From `spec.defaultBackend`: gives way to every rule for `/`. */
  readonly isDefault: boolean;
  /** The field that says so. */
  readonly field: string;
}

/** An Ingress that wants something on the host. */
export interface Claimant {
  readonly ingress: Ingress;
  readonly settings: RouteSettings;
  readonly claims: readonly Claim[];
}

/**
 * What an Ingress wants, by host; `*` stands for every host. `spec.defaultBackend` takes `/` of the hosts that its
 * rules name, and of `*` only when there are no rules (ingress-nginx `createServers`).
 */
export function claimsOf(ingress: Ingress): ReadonlyMap<string, readonly Claim[]> {
  const { rules = [], defaultBackend } = ingress.spec ?? {};
  const claims = new Map<string, Claim[]>();
  const fallback = (host: string): void => {
    const found = claims.get(host) ?? [];
    claims.set(host, found);
    if (defaultBackend === undefined || found.some(({ isDefault }) => isDefault)) return;
    const field = "spec.defaultBackend";
    found.push({ path: "/", pathType: "Prefix", backend: defaultBackend, isDefault: true, field });
  };
  for (const [index, rule] of rules.entries()) {
    const host = hostOf(rule.host);
    const found = claims.get(host) ?? [];
    claims.set(host, found);
    for (const [at, { path, pathType, backend }] of (rule.http?.paths ?? []).entries()) {
      const field = `spec.rules[${index}].http.paths[${at}]`;
      found.push({
        path: path || "/",
        pathType: pathType ?? "ImplementationSpecific",
        backend,
        isDefault: false,
        field,
      });
    }
    fallback(host);
  }
  if (rules.length === 0 && defaultBackend !== undefined) fallback("*");
  return claims;
}

/** The name a rule's host has in the table: lower case, `*` when it is empty. */
export function hostOf(host: string | undefined): string {
  return host === undefined || host === "" ? "*" : host.toLowerCase();
}

/** `*.example.com` for `www.example.com`: the only wildcard that can cover it. */
export function wildcardOf(host: string): string | undefined {
  const dot = host.indexOf(".");
  return dot <= 0 || host.startsWith("*") ? undefined : `*${host.slice(dot)}`;
}

/**
 * The older Ingress comes first and wins; of two created in the same second the one whose `namespace/name` is greater,
 * as ingress-nginx sorts them.
 */
export function compareAge(a: Ingress, b: Ingress): number {
  const [left, right] = [a.metadata.creationTimestamp ?? "", b.metadata.creationTimestamp ?? ""];
  if (left !== right) return left < right ? -1 : 1;
  const [first, second] = [nameOf(a), nameOf(b)];
  return first === second ? 0 : first > second ? -1 : 1;
}

function nameOf({ metadata }: Ingress): string {
  return `${metadata.namespace}/${metadata.name}`;
}
