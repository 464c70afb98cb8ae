import { systemClock, type Clock } from "#base/clock.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import type { Namespace } from "#api/core/namespace/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import { serviceNameLabel, type EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import { keyOf, parseKey } from "#api/meta/object.ts";
import type { Problem } from "../because.ts";
import { sameRecords } from "./diff.ts";
import { compileReverse } from "./reverse.ts";
import { compilePodName, type PodAddress } from "./pod.ts";
import { compileServiceNames, type Pointer, type ServiceNameRules, type ServiceNames } from "./service.ts";
import type { NameDiff, NameEntry, NameTable } from "./table.ts";

/** One object that came, changed or went; an informer's change fits. */
export interface ObjectChange<T> {
  readonly before?: T;
  readonly after?: T;
}

/**
 * Keeps the zone's names in step with the objects. Each change costs as much as the Service it belongs to; a namespace
 * that comes or goes costs its Services.
 */
export interface NameCompiler {
  service(change: ObjectChange<Service>): void;
  slice(change: ObjectChange<EndpointSlice>): void;
  namespace(change: ObjectChange<Namespace>): void;
  /** Needed for `verified` pods only; all pods again after each `configure`. */
  pod(change: ObjectChange<Pod>): void;
  /** Other rules from the next `take` on, which then holds every name that changes by them. */
  configure(rules: NameRules): void;
  /**
   * The difference since the last call, or `undefined` when no object changed. It may hold no name at all, when only
   * the revision moved. `revision` is how far the objects told are complete; by default the newest one seen.
   */
  take(revision?: string): NameDiff | undefined;
  /** All names as of the last `take`; live maps. */
  table(): NameTable;
  problems(): readonly Problem[];
}

export interface NameCompilerOptions extends NameRules {
  readonly zone: string;
  readonly clock?: Clock;
}

/** Which names there are; as CoreDNS's options of the plugin `kubernetes`. */
export interface NameRules extends ServiceNameRules {
  /** Whether `<namespace>.pod.<zone>` is a branch of the zone, and whether it holds names of the pods there are. */
  readonly pods?: "insecure" | "verified" | "disabled";
  /** Only these are served; all by default. */
  readonly namespaces?: readonly string[];
}

/** The version of the DNS specification that these names follow. */
const schemaVersion = "1.1.0";

const nothing: ServiceNames = { names: new Map(), reverse: new Map(), problems: [] };

export function createNameCompiler(options: NameCompilerOptions): NameCompiler {
  const { clock = systemClock } = options;
  let rules: NameRules = options;
  let served = options.namespaces && new Set(options.namespaces);
  const zone = options.zone.toLowerCase().replace(/\.$/, "");
  const services = new Map<string, Service>();
  const slices = new Map<string, Map<string, EndpointSlice>>();
  const namespaces = new Set<string>();
  const inNamespace = new Map<string, Set<string>>();
  const compiled = new Map<string, ServiceNames>();
  const pointers = new Map<string, Map<string, Pointer>>();
  const names = new Map<string, NameEntry>();
  const reverse = new Map<string, NameEntry>();
  /** Name of a pod -> its address, and the pods that have it. */
  const pods = new Map<string, PodAddress & { readonly keys: Set<string> }>();
  const dirtyPods = new Map<string, string>();
  const dirtyServices = new Set<string>();
  const dirtyNamespaces = new Set<string>();
  let changed = true;
  let taken = false;
  let revision = "0";
  let serial = 0;

  function saw(object: { metadata: { resourceVersion?: string } } | undefined): void {
    changed = true;
    revision = newest(revision, object?.metadata.resourceVersion ?? "0");
  }

  function sliceOwner(slice: EndpointSlice | undefined): string | undefined {
    const name = slice?.metadata.labels?.[serviceNameLabel];
    return name === undefined ? undefined : `${slice?.metadata.namespace}/${name}`;
  }

  function compileOne(key: string): ServiceNames {
    const service = services.get(key);
    if (service === undefined || !isServed(parseKey(key).namespace ?? "")) return nothing;
    return compileServiceNames(zone, service, [...(slices.get(key)?.values() ?? [])], rules);
  }

  function isServed(namespace: string): boolean {
    return namespaces.has(namespace) && (served === undefined || served.has(namespace));
  }

  function* branches(namespace: string): Iterable<[string, NameEntry | undefined]> {
    const exists = isServed(namespace);
    yield [`${namespace}.svc.${zone}`, exists ? {} : undefined];
    yield [`${namespace}.pod.${zone}`, exists && rules.pods !== "disabled" ? {} : undefined];
  }

  function podEntry(name: string, namespace: string): NameEntry | undefined {
    const found = rules.pods === "verified" && isServed(namespace) ? pods.get(name) : undefined;
    return found && (found.family === 4 ? { a: [found.address] } : { aaaa: [found.address] });
  }

  function take(reached?: string): NameDiff | undefined {
    if (!changed && (reached === undefined || newest(revision, reached) === revision)) return undefined;
    const touchedNames = new Map<string, NameEntry | undefined>();
    const touchedReverse = new Set<string>();
    if (!taken) {
      for (const branch of [zone, `svc.${zone}`, `pod.${zone}`]) touchedNames.set(branch, {});
      touchedNames.set(`dns-version.${zone}`, { txt: [schemaVersion] });
      taken = true;
    }
    for (const namespace of dirtyNamespaces) {
      for (const [branch, entry] of branches(namespace)) touchedNames.set(branch, entry);
      for (const key of inNamespace.get(namespace) ?? []) dirtyServices.add(key);
    }
    if (dirtyNamespaces.size > 0)
      for (const [name, pod] of pods) if (dirtyNamespaces.has(pod.namespace)) dirtyPods.set(name, pod.namespace);
    for (const [name, namespace] of dirtyPods) touchedNames.set(name, podEntry(name, namespace));
    for (const key of dirtyServices) {
      const before = compiled.get(key) ?? nothing;
      const after = compileOne(key);
      for (const name of before.names.keys()) if (!after.names.has(name)) touchedNames.set(name, undefined);
      for (const [name, entry] of after.names) touchedNames.set(name, entry);
      for (const at of new Set([...before.reverse.keys(), ...after.reverse.keys()])) {
        const owners = pointers.get(at) ?? new Map<string, Pointer>();
        const pointer = after.reverse.get(at);
        if (pointer === undefined) owners.delete(key);
        else owners.set(key, pointer);
        if (owners.size === 0) pointers.delete(at);
        else pointers.set(at, owners);
        touchedReverse.add(at);
      }
      if (after === nothing) compiled.delete(key);
      else compiled.set(key, after);
    }
    const diffNames = write(names, touchedNames);
    const diffReverse = write(
      reverse,
      [...touchedReverse].map((at) => [at, compileReverse(pointers.get(at))] as const),
    );
    dirtyServices.clear();
    dirtyPods.clear();
    dirtyNamespaces.clear();
    changed = false;
    revision = newest(revision, reached ?? "0");
    if (diffNames.length > 0 || diffReverse.length > 0) serial = Math.floor(clock.now() / 1000);
    return { names: diffNames, reverse: diffReverse, serial, revision };
  }

  return {
    service({ before, after }) {
      const object = after ?? before;
      if (object === undefined) return;
      saw(object);
      const key = keyOf(object);
      const namespace = object.metadata.namespace ?? "";
      const siblings = inNamespace.get(namespace) ?? new Set();
      if (after === undefined) {
        services.delete(key);
        siblings.delete(key);
      } else {
        services.set(key, after);
        siblings.add(key);
      }
      if (siblings.size === 0) inNamespace.delete(namespace);
      else inNamespace.set(namespace, siblings);
      dirtyServices.add(key);
    },
    slice({ before, after }) {
      saw(after ?? before);
      const [was, is] = [sliceOwner(before), sliceOwner(after)];
      if (before !== undefined && was !== undefined) {
        const of = slices.get(was);
        of?.delete(keyOf(before));
        if (of?.size === 0) slices.delete(was);
        dirtyServices.add(was);
      }
      if (after !== undefined && is !== undefined) {
        const of = slices.get(is) ?? new Map<string, EndpointSlice>();
        of.set(keyOf(after), after);
        slices.set(is, of);
        dirtyServices.add(is);
      }
    },
    namespace({ before, after }) {
      const object = after ?? before;
      if (object === undefined) return;
      saw(object);
      const { name } = object.metadata;
      if (after !== undefined && namespaces.has(name)) return;
      if (after === undefined) namespaces.delete(name);
      else namespaces.add(name);
      dirtyNamespaces.add(name);
    },
    pod({ before, after }) {
      const object = after ?? before;
      if (object === undefined) return;
      saw(object);
      const [was, is] = [before && compilePodName(zone, before), after && compilePodName(zone, after)];
      const key = keyOf(object);
      if (was !== undefined) {
        const known = pods.get(was.name);
        known?.keys.delete(key);
        if (known?.keys.size === 0) pods.delete(was.name);
        dirtyPods.set(was.name, was.namespace);
      }
      if (is !== undefined) {
        const known = pods.get(is.name) ?? { ...is, keys: new Set() };
        known.keys.add(key);
        pods.set(is.name, known);
        dirtyPods.set(is.name, is.namespace);
      }
    },
    configure(next) {
      rules = next;
      served = next.namespaces && new Set(next.namespaces);
      changed = true;
      for (const key of services.keys()) dirtyServices.add(key);
      for (const namespace of namespaces) dirtyNamespaces.add(namespace);
      for (const [name, pod] of pods) dirtyPods.set(name, pod.namespace);
      if (next.pods !== "verified") pods.clear();
    },
    take,
    table: () => ({ zone, names, reverse, serial, revision }),
    problems: () => [...compiled.values()].flatMap(({ problems }) => problems),
  };
}

/** Writes the entries, and returns those whose records are others than before; reasons are always brought up to date. */
function write(
  into: Map<string, NameEntry>,
  entries: Iterable<readonly [string, NameEntry | undefined]>,
): [string, NameEntry | undefined][] {
  const diff: [string, NameEntry | undefined][] = [];
  for (const [name, entry] of entries) {
    const before = into.get(name);
    if (entry === undefined) into.delete(name);
    else into.set(name, entry);
    if (!sameRecords(before, entry)) diff.push([name, entry]);
  }
  return diff;
}

/** Revisions are whole numbers in decimal; the longer, or else the later text, is the newer. */
function newest(a: string, b: string): string {
  return a.length === b.length ? (a > b ? a : b) : a.length > b.length ? a : b;
}
