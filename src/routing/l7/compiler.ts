import { isDeepStrictEqual } from "node:util";
import type { ConfigMap } from "#api/core/configmap/kind.ts";
import type { Secret } from "#api/core/secret/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { Ingress } from "#api/networking/ingress/kind.ts";
import type { IngressClass } from "#api/networking/ingressclass/kind.ts";
import type { BackendEntry, CertificateEntry, HostEntry, TableChange } from "#dataplane/table.ts";
import type { Problem } from "../because.ts";
import { compileBackend, type BackendRef } from "./backend.ts";
import { compileCertificate, type CertificateOutcome } from "./certificate.ts";
import { claimsOf, compareAge, wildcardOf, type Claim, type Claimant } from "./claim.ts";
import { whyNotOurs } from "./class.ts";
import { compileHost, type HostOutcome } from "./host.ts";
import { createManyIndex } from "./many.ts";
import { collectResult } from "./result.ts";
import type { RouteSettings } from "./settings.ts";
import type { IngressCompiler, IngressCompilerOptions } from "./table.ts";
import { dropNulls } from "./nulls.ts";
import { createSliceIndex } from "./slice-index.ts";
import { compileTls, type HostTls } from "./tls.ts";

/** What the compiler remembers of one Ingress. */
interface Placed {
  /** The newest version, ours or not. */
  readonly newest: Ingress;
  readonly ignored?: string;
  /** The version in force: older than `newest` when that one was dropped. */
  readonly serving?: { readonly ingress: Ingress; readonly settings: RouteSettings };
  readonly claims: ReadonlyMap<string, readonly Claim[]>;
  readonly secrets: ReadonlySet<string>;
  readonly configMaps: ReadonlySet<string>;
  readonly problems: readonly Problem[];
}

interface PlacedHost {
  readonly tls: HostTls | undefined;
  readonly outcome: HostOutcome;
}

/**
 * Keeps the tables of all Ingresses and follows single changes; see `IngressCompiler`. Every change marks what depends
 * on it, `take` compiles what is marked and reports only what came out differently.
 */
export function createIngressCompiler(options: IngressCompilerOptions): IngressCompiler {
  const classes = new Map<string, IngressClass>();
  const services = new Map<string, Service>();
  const slices = createSliceIndex();
  const secrets = new Map<string, { readonly object: Secret | undefined; readonly certificate: CertificateOutcome }>();
  const configMaps = new Map<string, ConfigMap | undefined>();
  const ingresses = new Map<string, Placed>();
  const hosts = new Map<string, PlacedHost>();
  const backends = new Map<string, BackendEntry>();
  const certificates = new Map<string, CertificateEntry>();
  const refs = new Map<string, BackendRef>();

  const ingressesOfHost = createManyIndex();
  const ingressesOfSecret = createManyIndex();
  const ingressesOfConfigMap = createManyIndex();
  const hostsOfService = createManyIndex();
  const hostsOfBackend = createManyIndex();
  const hostsOfCertificate = createManyIndex();
  const backendsOfService = createManyIndex();

  const dirtyHosts = new Set<string>();
  const dirtyBackends = new Set<string>();
  const dirtyCertificates = new Set<string>();
  let isFirst = true;

  function place(key: string, told: Ingress | undefined): void {
    const newest = dropNulls(told);
    const before = ingresses.get(key);
    const after = newest === undefined ? undefined : readIngress(newest, before);
    for (const host of before?.claims.keys() ?? []) {
      ingressesOfHost.remove(host, key);
      dirtyHosts.add(host);
    }
    for (const secret of before?.secrets ?? []) ingressesOfSecret.remove(secret, key);
    for (const configMap of before?.configMaps ?? []) ingressesOfConfigMap.remove(configMap, key);
    if (after === undefined) {
      ingresses.delete(key);
      return;
    }
    ingresses.set(key, after);
    for (const host of after.claims.keys()) {
      ingressesOfHost.add(host, key);
      dirtyHosts.add(host);
    }
    for (const secret of after.secrets) ingressesOfSecret.add(secret, key);
    for (const configMap of after.configMaps) ingressesOfConfigMap.add(configMap, key);
  }

  function readIngress(newest: Ingress, before: Placed | undefined): Placed {
    const none = new Set<string>();
    const nothing = {
      newest,
      claims: new Map<string, readonly Claim[]>(),
      secrets: none,
      configMaps: none,
      problems: [],
    };
    const ignored = whyNotOurs(newest, (name) => classes.get(name), options);
    if (ignored !== undefined) return { ...nothing, ignored };
    const settings = options.settingsOf(newest);
    const { problems } = settings;
    const isSame = before?.newest.metadata.uid === newest.metadata.uid;
    const lastGood = isSame ? before?.serving : undefined;
    const serving = settings.verdict === "drop" ? lastGood : { ingress: newest, settings };
    if (serving === undefined) return { ...nothing, problems };
    const { namespace } = newest.metadata;
    const named = (serving.ingress.spec?.tls ?? []).flatMap(({ secretName }) => (secretName ? [secretName] : []));
    const { references } = serving.settings;
    return {
      newest,
      serving,
      claims: claimsOf(serving.ingress),
      secrets: new Set([...named.map((name) => `${namespace}/${name}`), ...references.secrets]),
      configMaps: new Set(references.configMaps),
      problems,
    };
  }

  function claimantsOf(host: string): Claimant[] {
    const found: Claimant[] = [];
    for (const key of ingressesOfHost.of(host)) {
      const { serving, claims } = ingresses.get(key) as Placed;
      if (serving !== undefined) found.push({ ...serving, claims: claims.get(host) ?? [] });
    }
    return found.sort((a, b) => compareAge(a.ingress, b.ingress));
  }

  /** Compiles one host anew and returns its entry when that is another one than before. */
  function refreshHost(host: string): HostEntry | "gone" | undefined {
    const before = hosts.get(host);
    const claimants = claimantsOf(host);
    const tls = compileTls(
      host,
      claimants.map(({ ingress }) => ingress),
      (key) => secrets.get(key)?.certificate,
    );
    if (host.startsWith("*.") && !isDeepStrictEqual(tls, before?.tls)) {
      for (const other of hosts.keys()) if (wildcardOf(other) === host) dirtyHosts.add(other);
    }
    if (claimants.length === 0) {
      relink(host, before?.outcome, undefined);
      hosts.delete(host);
      return before === undefined ? undefined : "gone";
    }
    const wildcard = wildcardOf(host);
    const outcome = compileHost({
      host,
      claimants,
      tls,
      wildcardTls: wildcard === undefined ? undefined : hosts.get(wildcard)?.tls,
      serviceOf: (key) => services.get(key),
      implementationSpecific: options.implementationSpecific,
      lookup: {
        secret: (key) => (secrets.has(key) ? (secrets.get(key)?.object ?? "missing") : "pending"),
        configMap: (key) => (configMaps.has(key) ? (configMaps.get(key) ?? "missing") : "pending"),
      },
    });
    relink(host, before?.outcome, outcome);
    hosts.set(host, { tls, outcome });
    return isDeepStrictEqual(before?.outcome.entry, outcome.entry) ? undefined : outcome.entry;
  }

  function relink(host: string, before: HostOutcome | undefined, after: HostOutcome | undefined): void {
    for (const service of before?.services ?? []) hostsOfService.remove(service, host);
    for (const service of after?.services ?? []) hostsOfService.add(service, host);
    for (const id of before?.backends.keys() ?? []) {
      hostsOfBackend.remove(id, host);
      dirtyBackends.add(id);
    }
    for (const [id, ref] of after?.backends ?? []) {
      hostsOfBackend.add(id, host);
      backendsOfService.add(ref.service, id);
      refs.set(id, ref);
      if (!before?.backends.has(id)) dirtyBackends.add(id);
    }
    for (const [outcome, link] of [
      [before, hostsOfCertificate.remove],
      [after, hostsOfCertificate.add],
    ] as const) {
      const id = outcome?.entry.certificate;
      if (id === undefined) continue;
      link(id, host);
      dirtyCertificates.add(id);
    }
  }

  function refreshBackend(id: string): BackendEntry | "gone" | undefined {
    const before = backends.get(id);
    const ref = refs.get(id);
    if (ref === undefined || !hostsOfBackend.has(id)) {
      if (ref !== undefined) backendsOfService.remove(ref.service, id);
      refs.delete(id);
      backends.delete(id);
      return before === undefined ? undefined : "gone";
    }
    const after = compileBackend(ref, services.get(ref.service), slices.of(ref.service));
    if (isDeepStrictEqual(before, after)) return undefined;
    backends.set(id, after);
    return after;
  }

  function refreshCertificate(id: string): CertificateEntry | "gone" | undefined {
    const before = certificates.get(id);
    const outcome = secrets.get(id)?.certificate;
    if (!hostsOfCertificate.has(id) || outcome?.ok !== true) {
      certificates.delete(id);
      return before === undefined ? undefined : "gone";
    }
    if (isDeepStrictEqual(before, outcome.entry)) return undefined;
    certificates.set(id, outcome.entry);
    return outcome.entry;
  }

  function markService(service: string): void {
    for (const id of backendsOfService.of(service)) dirtyBackends.add(id);
  }

  function markSecret(key: string): void {
    dirtyCertificates.add(key);
    markIngresses(ingressesOfSecret.of(key));
  }

  function markIngresses(keys: Iterable<string>): void {
    for (const ingress of keys) {
      for (const host of ingresses.get(ingress)?.claims.keys() ?? []) dirtyHosts.add(host);
    }
  }

  return {
    ingress: place,
    ingressClass(name, after) {
      if (after === undefined) classes.delete(name);
      else classes.set(name, dropNulls(after));
      for (const [key, { newest }] of ingresses) if (newest.spec?.ingressClassName === name) place(key, newest);
    },
    service(key, after) {
      if (after === undefined) services.delete(key);
      else services.set(key, dropNulls(after));
      markService(key);
      for (const host of hostsOfService.of(key)) dirtyHosts.add(host);
    },
    slice: (key, after) => slices.set(key, after, markService),
    secret(key, after) {
      const object = dropNulls(after);
      secrets.set(key, { object, certificate: compileCertificate(key, object) });
      markSecret(key);
    },
    forgetSecret(key) {
      if (secrets.delete(key)) markSecret(key);
    },
    configMap(key, after) {
      configMaps.set(key, dropNulls(after));
      markIngresses(ingressesOfConfigMap.of(key));
    },
    forgetConfigMap(key) {
      if (configMaps.delete(key)) markIngresses(ingressesOfConfigMap.of(key));
    },
    wantedConfigMaps: () => new Set(ingressesOfConfigMap.keys()),
    wantedSecrets: () => new Set(ingressesOfSecret.keys()),
    isAccepted: (key) => ingresses.get(key)?.serving !== undefined,
    take(revision) {
      const change = {
        // A wildcard host before the hosts that it covers: they read its TLS.
        hosts: refreshAll(dirtyHosts, refreshHost, (host) => host.startsWith("*.")),
        backends: refreshAll(dirtyBackends, refreshBackend),
        certificates: refreshAll(dirtyCertificates, refreshCertificate),
      };
      const fallback = isFirst ? options.defaultCertificate : undefined;
      isFirst = false;
      if (fallback !== undefined) change.certificates.unshift([fallback.id, fallback]);
      if (change.hosts.length + change.backends.length + change.certificates.length === 0) return undefined;
      const taken: TableChange = { ...change, revision };
      return fallback === undefined ? taken : { ...taken, defaultCertificate: fallback.id };
    },
    result: () => {
      return collectResult({
        hosts: new Map([...hosts].map(([name, { outcome }]) => [name, outcome])),
        backends,
        certificates,
        defaultCertificate: options.defaultCertificate,
        ingresses,
      });
    },
  };
}

/** Refreshes all that is marked, those that `first` chooses ahead; what gets marked meanwhile takes part. */
function refreshAll<T>(
  dirty: Set<string>,
  refresh: (key: string) => T | "gone" | undefined,
  first: (key: string) => boolean = () => false,
): [string, T | undefined][] {
  const changed = new Map<string, T | undefined>();
  while (dirty.size > 0) {
    const keys = [...dirty].sort();
    dirty.clear();
    for (const key of [...keys.filter(first), ...keys.filter((key) => !first(key))]) {
      dirty.delete(key);
      const outcome = refresh(key);
      if (outcome !== undefined) changed.set(key, outcome === "gone" ? undefined : outcome);
    }
  }
  return [...changed].sort(([a], [b]) => (a < b ? -1 : 1));
}
