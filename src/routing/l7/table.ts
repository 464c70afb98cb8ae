import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import type { ConfigMap } from "#api/core/configmap/kind.ts";
import type { Secret } from "#api/core/secret/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { Ingress } from "#api/networking/ingress/kind.ts";
import type { IngressClass } from "#api/networking/ingressclass/kind.ts";
import type { CertificateEntry, DataplaneTable, TableChange } from "#dataplane/table.ts";
import type { Because, Problem } from "../because.ts";
import type { RouteSettings } from "./settings.ts";

/** How Ingress objects are chosen and read; the same for the whole life of a compiler. */
export interface IngressCompilerOptions {
  /** Values of `IngressClass.spec.controller` that are ours. */
  readonly controllers: readonly string[];
  /** Values of the annotation `kubernetes.io/ingress.class` that are ours. */
  readonly legacyClasses: readonly string[];
  /** Whether Ingresses that name no class at all are ours. */
  readonly watchWithoutClass: boolean;
  /** What pathType ImplementationSpecific compares: characters (an nginx location) or whole elements. */
  readonly implementationSpecific: "characters" | "prefix";
  /** Shown to clients that name no host with a certificate of its own. */
  readonly defaultCertificate?: CertificateEntry;
  readonly settingsOf: (ingress: Ingress) => RouteSettings;
}

/** All objects at once, for a compile from nothing. */
export interface IngressInput {
  readonly ingresses: readonly Ingress[];
  readonly classes: readonly IngressClass[];
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  readonly secrets: readonly Secret[];
  readonly configMaps?: readonly ConfigMap[];
}

export interface CompiledIngresses extends DataplaneTable {
  readonly defaultCertificate?: string;
  /** Sorted by object, then field. */
  readonly problems: readonly Problem[];
  /** By route id; `tls:HOST` says where a host's certificate comes from. */
  readonly because: ReadonlyMap<string, Because>;
  /** Ingresses of ours that are routed, by `namespace/name`. */
  readonly accepted: ReadonlySet<string>;
  /** Ingresses that are not ours, and why. */
  readonly ignored: ReadonlyMap<string, string>;
}

/**
 * The compiler that keeps its result and follows single changes. A change costs what depends on it: an EndpointSlice its
 * backends, a Secret its certificate, an Ingress its hosts. `undefined` says that the object is gone.
 */
export interface IngressCompiler {
  ingress(key: string, after: Ingress | undefined): void;
  ingressClass(name: string, after: IngressClass | undefined): void;
  service(key: string, after: Service | undefined): void;
  slice(key: string, after: EndpointSlice | undefined): void;
  /** A Secret that was never told counts as not loaded yet: default certificate, closed routes, no problem. */
  secret(key: string, after: Secret | undefined): void;
  /** The Secret is not followed any more; back to not loaded. */
  forgetSecret(key: string): void;
  /** Secrets that accepted Ingresses name, by `namespace/name`: all that has to be watched. */
  wantedSecrets(): ReadonlySet<string>;
  configMap(key: string, after: ConfigMap | undefined): void;
  forgetConfigMap(key: string): void;
  wantedConfigMaps(): ReadonlySet<string>;
  /** Whether this Ingress is ours and routed. */
  isAccepted(key: string): boolean;
  /** What changed since the last call, or `undefined`; `revision` is passed on in the change. */
  take(revision: string): TableChange | undefined;
  /** The result as of the last `take`. */
  result(): CompiledIngresses;
}
