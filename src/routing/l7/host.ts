import { parseKey } from "#api/meta/object.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { Ingress } from "#api/networking/ingress/kind.ts";
import type { HostEntry, RouteEntry } from "#dataplane/table.ts";
import { sourceOf, type Because, type Problem, type Source } from "../because.ts";
import type { BackendRef } from "./backend.ts";
import { compileClientAuth } from "./client-auth.ts";
import { chooseClaims, type Chosen } from "./choose.ts";
import type { Claim, Claimant } from "./claim.ts";
import { comparePlain, compareRegex, plainForms, regexForms, regexProblem, type PathForm } from "./path.ts";
import type { RouteDraft, RouteFacts, RouteSettings } from "./settings.ts";
import { compileTarget } from "./target.ts";
import type { HostTls } from "./tls.ts";

export interface HostInput {
  readonly host: string;
  /** The oldest first. */
  readonly claimants: readonly Claimant[];
  readonly tls: HostTls | undefined;
  /** TLS of the wildcard host that covers this one. */
  readonly wildcardTls: HostTls | undefined;
  readonly serviceOf: (key: string) => Service | undefined;
  readonly implementationSpecific: "characters" | "prefix";
  readonly lookup: Pick<RouteFacts, "secret" | "configMap">;
}

export interface HostOutcome {
  readonly entry: HostEntry;
  readonly backends: ReadonlyMap<string, BackendRef>;
  /** Services that were looked up, found or not. */
  readonly services: ReadonlySet<string>;
  readonly problems: readonly Problem[];
  readonly because: ReadonlyMap<string, Because>;
}

/** What a route has before any annotation speaks: the defaults of ingress-nginx. */
const plainDraft: Omit<RouteDraft, "match"> = {
  filters: [],
  timeouts: { connectMs: 5_000, readMs: 60_000, sendMs: 60_000 },
  maxBodyBytes: 1024 * 1024,
  protocol: "http",
  balance: "round-robin",
};

/** Everything the data plane needs for one virtual host, in order of precedence. */
export function compileHost(input: HostInput): HostOutcome {
  const { host, claimants, tls, wildcardTls } = input;
  const backends = new Map<string, BackendRef>();
  const services = new Set<string>();
  const problems: Problem[] = [...(tls?.problems ?? [])];
  const because = new Map<string, Because>();
  const { chosen, hasRoot } = chooseClaims(host, claimants);
  const regexHost = chosen.some(({ claimant, claim }) => !claim.isDefault && claimant.settings.regex(claim.path));
  const facts = (path: string, pathType: Claim["pathType"], ruled: boolean): RouteFacts => {
    const hasTls = tls !== undefined || wildcardTls !== undefined;
    return { host, path, pathType, tls: hasTls, ruled, regexHost, ...input.lookup };
  };
  const findings = new Map<string, Problem>();
  const note = (ingress: Ingress, draft: RouteDraft): void => {
    for (const { field, code, message } of draft.findings ?? []) {
      const at = sourceOf(ingress, field);
      findings.set([at.namespace, at.name, field, code, message].join(" "), { at, code, message });
    }
  };

  const compiled: { form: PathForm; route: RouteEntry }[] = [];
  for (const { claimant, claim, losers } of chosen) {
    const { ingress, settings } = claimant;
    const forms = regexHost
      ? regexForms(claim, settings.regex(claim.path))
      : plainForms(claim, input.implementationSpecific);
    const wrong = regexHost ? regexProblem(claim.path) : undefined;
    if (wrong !== undefined) {
      const message = `the path ${claim.path} is no regular expression that can be used, it is left out: ${wrong}`;
      problems.push({ at: sourceOf(ingress, claim.field), code: "path-not-a-regex", message });
      continue;
    }
    for (const form of forms) {
      const drafted = draftOf(settings, form, facts(claim.path, claim.pathType, !claim.isDefault));
      const found = compileTarget(ingress, claim, drafted, input.serviceOf);
      note(ingress, drafted);
      const denied = settings.verdict === "deny" || drafted.isDenied === true;
      const target = denied ? deniedTarget : found.target;
      const id = routeId(ingress, host, claim, form.mark);
      compiled.push({ form, route: routeOf(id, denied ? { ...drafted, filters: [] } : drafted, target) });
      because.set(id, { from: [...found.from, ...referencesOf(settings)], ...(losers.length === 0 ? {} : { losers }) });
      if (form === forms[0]) problems.push(...found.problems);
      if (found.service !== undefined) services.add(found.service);
      if (denied) continue;
      for (const ref of [found.backend, ...(drafted.backends ?? [])]) if (ref !== undefined) backends.set(ref.id, ref);
    }
  }
  if (!regexHost) compiled.push(...slashRedirects(host, chosen, because));
  compiled.sort((a, b) => (regexHost ? compareRegex : comparePlain)(a.form, b.form));
  const routes = compiled.map(({ route }) => route);

  const oldest = claimants[0];
  if (oldest !== undefined && !hasRoot) {
    const rest = draftOfRest(oldest, facts("/", "Prefix", false));
    note(oldest.ingress, rest);
    if (rest.isDenied !== true) for (const ref of rest.backends ?? []) backends.set(ref.id, ref);
    routes.push(restOf(oldest, host, rest, because));
  }
  const withRoot = claimants.find(({ settings }) => settings.verdict === "serve" && settings.appRoot !== undefined);
  const root = withRoot?.settings.appRoot;
  if (withRoot !== undefined && root !== undefined) routes.unshift(appRoot(host, withRoot, root, because));
  if (tls !== undefined) because.set(`tls:${host}`, tls.because);
  const certificate = tls === undefined ? wildcardTls?.certificate : tls.certificate;
  const passthrough = passthroughOf(host, oldest, routes, problems);
  const ciphers = claimants.find(({ settings }) => settings.ciphers !== undefined)?.settings.ciphers;
  const clients = compileClientAuth(host, claimants, input.lookup.secret);
  if (clients !== undefined) because.set(`clients:${host}`, { from: clients.from });
  problems.push(...(clients?.problems ?? []));
  const entry: HostEntry = {
    name: host,
    routes: clients?.closed === undefined ? routes : routes.map((route) => closedRoute(route, clients.closed)),
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(clients?.entry === undefined ? {} : { clientAuth: clients.entry }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(passthrough === undefined ? {} : { passthrough }),
  };
  problems.push(...findings.values());
  return { entry, backends, services, problems, because };
}

/** A route of a host that nobody may enter: 403, as ingress-nginx answers. */
function closedRoute(route: RouteEntry, reason = ""): RouteEntry {
  return { ...route, filters: [], target: { type: "answer", status: 403, reason } };
}

/**
 * Where TLS connections for the host go undecrypted: to the backend of the rule for `/`, when the host's oldest Ingress
 * wants it (ingress-nginx `createServers`).
 */
function passthroughOf(
  host: string,
  oldest: Claimant | undefined,
  routes: readonly RouteEntry[],
  problems: Problem[],
): HostEntry["passthrough"] {
  const rules = oldest?.settings.passthrough;
  if (oldest === undefined || rules === undefined || oldest.settings.verdict !== "serve") return undefined;
  const root = routes.find(({ match, target }) => {
    return target.type === "backend" && match.type !== "exact" && match.type !== "regex" && match.path === "/";
  });
  if (host !== "*" && root?.target.type === "backend") return { backend: root.target.backend, ...rules };
  const at = sourceOf(oldest.ingress, "metadata.annotations[nginx.ingress.kubernetes.io/ssl-passthrough]");
  const what = host === "*" ? "the rule needs a host" : `${host} has no rule for / with a Service`;
  const message = `ssl-passthrough: ${what}; TLS ends here until this is put right`;
  problems.push({ at, code: "passthrough-without-root", message });
  return undefined;
}

const deniedTarget = {
  type: "answer",
  status: 503,
  reason: "denied by an annotation that could not be honoured",
} as const;

function draftOf(settings: RouteSettings, form: PathForm, facts: RouteFacts): RouteDraft {
  return settings.effects.reduce<RouteDraft>((draft, effect) => effect(draft, facts), {
    ...plainDraft,
    match: form.match,
  });
}

function routeOf(id: string, draft: RouteDraft, target: RouteEntry["target"]): RouteEntry {
  const { match, filters, timeouts, maxBodyBytes, retry, gather } = draft;
  return {
    id,
    match,
    filters,
    target,
    timeouts,
    maxBodyBytes,
    ...(retry === undefined ? {} : { retry }),
    ...(gather === undefined ? {} : { gather }),
  };
}

function routeId({ metadata }: Ingress, host: string, claim: Pick<Claim, "path" | "pathType">, mark: string): string {
  const exact = claim.pathType === "Exact" ? "=" : "";
  return `${metadata.namespace}/${metadata.name}:${host}${exact}${claim.path}${mark}`;
}

/**
 * What no rule takes: 404, with the annotations of the host's oldest Ingress as ingress-nginx has it, though not where
 * the host is every host.
 */
function restOf(
  { ingress, settings }: Claimant,
  host: string,
  draft: RouteDraft,
  because: Map<string, Because>,
): RouteEntry {
  const id = routeId(ingress, host, { path: "/", pathType: "Prefix" }, restForm.mark);
  because.set(id, { from: [sourceOf(ingress), ...referencesOf(settings)] });
  if (draft.isDenied === true) return routeOf(id, { ...plainDraft, match: restForm.match }, deniedTarget);
  const target = { type: "answer", status: 404, reason: "no rule for this path" } as const;
  return routeOf(id, { ...draft, match: restForm.match }, target);
}

/** The objects that annotations name, as what a route was compiled from. */
function referencesOf({ references }: RouteSettings): Source[] {
  const source = (kind: string) => (key: string) => ({ kind, ...parseKey(key) });
  return [...references.secrets.map(source("Secret")), ...references.configMaps.map(source("ConfigMap"))];
}

const restForm: PathForm = { mark: "#none", key: "/", match: { type: "prefix", path: "/" } };

function draftOfRest({ settings }: Claimant, facts: RouteFacts): RouteDraft {
  const plain: RouteDraft = { ...plainDraft, match: restForm.match };
  if (settings.verdict === "deny") return { ...plain, isDenied: true };
  return facts.host === "*" ? plain : draftOf(settings, restForm, facts);
}

/** `/a` is sent to `/a/` where only `/a/` is ruled, as nginx does for a proxied location that ends in a slash. */
function slashRedirects(
  host: string,
  chosen: readonly Chosen[],
  because: Map<string, Because>,
): { form: PathForm; route: RouteEntry }[] {
  const taken = new Set(chosen.map(({ claim }) => claim.path));
  const redirects: { form: PathForm; route: RouteEntry }[] = [];
  for (const { claimant, claim } of chosen) {
    const path = claim.path.slice(0, -1);
    if (path === "" || !claim.path.endsWith("/") || taken.has(path)) continue;
    taken.add(path);
    const id = routeId(claimant.ingress, host, { ...claim, path, pathType: "Exact" }, "#slash");
    const form: PathForm = { mark: "#slash", key: path, match: { type: "exact", path } };
    // A path is any text; in a header field it is a URI.
    const location = encodeURI(claim.path.toWellFormed());
    const filter = { type: "redirect", status: 301, location, keepQuery: true } as const;
    const draft: RouteDraft = { ...plainDraft, match: form.match, filters: [filter] };
    redirects.push({ form, route: routeOf(id, draft, { type: "answer", status: 301, reason: "slash added" }) });
    because.set(id, { from: [sourceOf(claimant.ingress, claim.field)] });
  }
  return redirects;
}

function appRoot(host: string, { ingress }: Claimant, location: string, because: Map<string, Because>): RouteEntry {
  const id = routeId(ingress, host, { path: "/", pathType: "Exact" }, "#app-root");
  because.set(id, { from: [sourceOf(ingress, "metadata.annotations")] });
  const filters = [{ type: "redirect", status: 302, location }] as const;
  const draft: RouteDraft = { ...plainDraft, match: { type: "exact", path: "/" }, filters };
  return routeOf(id, draft, { type: "answer", status: 302, reason: "app-root" });
}
