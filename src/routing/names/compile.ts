import { systemClock, type Clock } from "#base/clock.ts";
import type { Pod } from "#api/core/pod/kind.ts";
import type { Namespace } from "#api/core/namespace/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import { serviceNameLabel, type EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import { keyOf, parseKey } from "#api/meta/object.ts";
import type { Problem } from "../because.ts";
import { sameRecords } from "./diff.ts";
import { createAddressOwners } from "./owners.ts";
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
  /** The same in parts of bounded size, all but the last with `more`: for the first difference of a large cluster. */
  takeParts(revision?: string): Iterator<NameDiff, void> & Iterable<NameDiff>;
  /** All names, compiled anew by each call: nothing is kept but the objects. */
  table(): NameTable;
  /** All of them in parts, as `takeParts` gives them. */
  tableParts(): Iterable<NameDiff>;
  problems(): readonly Problem[];
}

/** What a Service was made of when its names were last taken. */
interface Snapshot {
  readonly service: Service | undefined;
  readonly slices: readonly EndpointSlice[];
}

/** Services in one part of a difference. */
const partSize = 200;

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
  const zone = options.zone.toLowerCase().replace(/\.$/, "");
  const services = new Map<string, Service>();
  const slices = new Map<string, readonly EndpointSlice[]>();
  const namespaces = new Set<string>();
  const inNamespace = new Map<string, Set<string>>();
  let rules: NameRules = options;
  /** Name of a pod -> its address, and the pods that have it. */
  const pods = new Map<string, PodAddress & { readonly keys: Set<string> }>();
  const owners = createAddressOwners();

  // How things stood when the names were last taken, as far as it changed since.
  const dirtyServices = new Map<string, Snapshot>();
  const dirtyNamespaces = new Map<string, boolean>();
  const dirtyPods = new Map<string, { readonly namespace: string; readonly before: NameEntry | undefined }>();
  let takenRules = rules;
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

  function snapshot(key: string): Snapshot {
    return { service: services.get(key), slices: slices.get(key) ?? [] };
  }

  /** Told before each change of something that a Service's names come from. */
  function markService(key: string): void {
    if (!dirtyServices.has(key)) dirtyServices.set(key, snapshot(key));
  }

  function markPod(name: string, namespace: string): void {
    if (!dirtyPods.has(name)) dirtyPods.set(name, { namespace, before: podEntry(name, namespace) });
  }

  function markNamespace(name: string): void {
    if (!dirtyNamespaces.has(name)) dirtyNamespaces.set(name, namespaces.has(name));
    for (const key of inNamespace.get(name) ?? []) markService(key);
    for (const [pod, { namespace }] of pods) if (namespace === name) markPod(pod, namespace);
  }

  function isServed(namespace: string, by: NameRules, exists: boolean): boolean {
    return exists && (by.namespaces === undefined || by.namespaces.includes(namespace));
  }

  function namesOf(key: string, from: Snapshot, by: NameRules, exists: boolean, reasons = false): ServiceNames {
    const { service } = from;
    if (service === undefined || !isServed(parseKey(key).namespace ?? "", by, exists)) return nothing;
    return compileServiceNames(zone, service, from.slices, by, reasons);
  }

  function namesBefore(key: string, from: Snapshot): ServiceNames {
    if (!taken) return nothing;
    const namespace = parseKey(key).namespace ?? "";
    return namesOf(key, from, takenRules, dirtyNamespaces.get(namespace) ?? namespaces.has(namespace));
  }

  function namesNow(key: string, reasons = false): ServiceNames {
    return namesOf(key, snapshot(key), rules, namespaces.has(parseKey(key).namespace ?? ""), reasons);
  }

  /** As the names were last taken, which a change that waits does not change. */
  function namesTaken(key: string, reasons = false): ServiceNames {
    const waiting = dirtyServices.get(key);
    return waiting === undefined ? namesNow(key, reasons) : namesBefore(key, waiting);
  }

  function podEntry(name: string, namespace: string): NameEntry | undefined {
    const found = rules.pods === "verified" && isServed(namespace, rules, namespaces.has(namespace)) && pods.get(name);
    if (!found) return undefined;
    return found.family === 4 ? { a: [found.address] } : { aaaa: [found.address] };
  }

  /** The branches that every zone has. */
  function trunk(): [string, NameEntry][] {
    return [...[zone, `svc.${zone}`, `pod.${zone}`].map((name): [string, NameEntry] => [name, {}]), version()];
  }

  function version(): [string, NameEntry] {
    return [`dns-version.${zone}`, { txt: [schemaVersion] }];
  }

  function branches(name: string, by: NameRules, exists: boolean): Map<string, NameEntry | undefined> {
    const served = isServed(name, by, exists);
    return new Map([
      [`${name}.svc.${zone}`, served ? {} : undefined],
      [`${name}.pod.${zone}`, served && by.pods !== "disabled" ? {} : undefined],
    ]);
  }

  /** Names that do not come from Services. */
  function takeBranches(into: Map<string, NameEntry | undefined>): void {
    if (!taken) for (const [name, entry] of trunk()) into.set(name, entry);
    for (const [name, existed] of dirtyNamespaces) {
      const before = branches(name, takenRules, taken && existed);
      for (const [branch, entry] of branches(name, rules, namespaces.has(name)))
        if (!sameRecords(before.get(branch), entry)) into.set(branch, entry);
    }
    for (const [name, { namespace, before }] of dirtyPods) {
      const entry = podEntry(name, namespace);
      if (!sameRecords(before, entry)) into.set(name, entry);
    }
  }

  function takeService(
    key: string,
    { before, after }: { before: ServiceNames; after: ServiceNames },
    into: Map<string, NameEntry | undefined>,
    touched: Set<string>,
  ): void {
    for (const name of before.names.keys()) if (!after.names.has(name)) into.set(name, undefined);
    for (const [name, entry] of after.names) if (!sameRecords(before.names.get(name), entry)) into.set(name, entry);
    for (const [at, pointer] of before.reverse) {
      if (samePointer(pointer, after.reverse.get(at))) continue;
      touched.add(at);
      if (!after.reverse.has(at)) owners.remove(at, key);
    }
    for (const [at, pointer] of after.reverse) {
      if (samePointer(before.reverse.get(at), pointer)) continue;
      touched.add(at);
      owners.add(at, key);
    }
  }

  /** The PTR records of an address now; `compiled` are Services whose names are at hand. */
  function reverseEntry(at: string, compiled: Map<string, ServiceNames>, reasons = false): NameEntry | undefined {
    const pointers = new Map<string, Pointer>();
    for (const key of owners.of(at)) {
      const names = compiled.get(key) ?? namesTaken(key, reasons);
      compiled.set(key, names);
      const pointer = names.reverse.get(at);
      if (pointer !== undefined) pointers.set(key, pointer);
    }
    return compileReverse(pointers.size === 0 ? undefined : pointers);
  }

  function* takeParts(reached?: string): Generator<NameDiff> {
    if (!changed && (reached === undefined || newest(revision, reached) === revision)) return;
    let names = new Map<string, NameEntry | undefined>();
    takeBranches(names);
    revision = newest(revision, reached ?? "0");
    let hasChanged = false;
    for (let more = true; more; names = new Map()) {
      const touched = new Set<string>();
      const compiled = new Map<string, ServiceNames>();
      for (const [key, from] of dirtyServices) {
        const after = namesNow(key);
        takeService(key, { before: namesBefore(key, from), after }, names, touched);
        compiled.set(key, after);
        dirtyServices.delete(key);
        if (compiled.size === partSize) break;
      }
      more = dirtyServices.size > 0;
      const reverse = [...touched].map((at) => [at, reverseEntry(at, compiled)] as const);
      hasChanged ||= names.size > 0 || reverse.length > 0;
      if (hasChanged) serial = Math.floor(clock.now() / 1000);
      if (!more) settle();
      yield { names: [...names], reverse, serial, revision, ...(more && { more }) };
    }
  }

  /** What is now is what was taken. */
  function settle(): void {
    dirtyNamespaces.clear();
    dirtyPods.clear();
    takenRules = rules;
    taken = true;
    changed = false;
  }

  function* tableParts(reasons = false): Generator<NameDiff> {
    if (!taken) return;
    const first = new Map<string, NameEntry | undefined>(trunk());
    for (const name of namespaces)
      for (const [branch, entry] of branches(name, rules, true)) if (entry !== undefined) first.set(branch, entry);
    for (const [name, { namespace }] of pods) {
      const entry = podEntry(name, namespace);
      if (entry !== undefined) first.set(name, entry);
    }
    let names = [...first];
    let reverse: [string, NameEntry | undefined][] = [];
    let compiled = new Map<string, ServiceNames>();
    for (const key of services.keys()) {
      const now = namesNow(key, reasons);
      const taken = dirtyServices.has(key) ? namesTaken(key, reasons) : now;
      names.push(...now.names);
      compiled.set(key, taken);
      // An address of several Services comes with the first of them.
      for (const at of taken.reverse.keys())
        if (owners.of(at)[0] === key) reverse.push([at, reverseEntry(at, compiled, reasons)]);
      if (compiled.size < partSize) continue;
      yield { names, reverse, serial, revision, more: true };
      [names, reverse, compiled] = [[], [], new Map()];
    }
    yield { names, reverse, serial, revision };
  }

  return {
    service({ before, after }) {
      const object = after ?? before;
      if (object === undefined) return;
      saw(object);
      const key = keyOf(object);
      markService(key);
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
    },
    slice({ before, after }) {
      saw(after ?? before);
      const [was, is] = [sliceOwner(before), sliceOwner(after)];
      if (before !== undefined && was !== undefined) {
        markService(was);
        const left = slices.get(was)?.filter((other) => other !== before) ?? [];
        if (left.length === 0) slices.delete(was);
        else slices.set(was, left);
      }
      if (after !== undefined && is !== undefined) {
        markService(is);
        slices.set(is, [...(slices.get(is) ?? []), after]);
      }
    },
    namespace({ before, after }) {
      const object = after ?? before;
      if (object === undefined) return;
      saw(object);
      const { name } = object.metadata;
      if (after !== undefined && namespaces.has(name)) return;
      markNamespace(name);
      if (after === undefined) namespaces.delete(name);
      else namespaces.add(name);
    },
    pod({ before, after }) {
      const object = after ?? before;
      if (object === undefined) return;
      saw(object);
      const [was, is] = [before && compilePodName(zone, before), after && compilePodName(zone, after)];
      const key = keyOf(object);
      if (was !== undefined) {
        markPod(was.name, was.namespace);
        const known = pods.get(was.name);
        known?.keys.delete(key);
        if (known?.keys.size === 0) pods.delete(was.name);
      }
      if (is !== undefined) {
        markPod(is.name, is.namespace);
        const known = pods.get(is.name) ?? { ...is, keys: new Set() };
        known.keys.add(key);
        pods.set(is.name, known);
      }
    },
    configure(next) {
      for (const name of namespaces) markNamespace(name);
      rules = next;
      changed = true;
      if (next.pods !== "verified") pods.clear();
    },
    take(reached) {
      const parts = [...takeParts(reached)];
      const last = parts.at(-1);
      if (last === undefined) return undefined;
      const merge = (of: "names" | "reverse") => [...new Map(parts.flatMap((part) => part[of]))];
      return { ...last, names: merge("names"), reverse: merge("reverse") };
    },
    takeParts,
    table() {
      const parts = [...tableParts(true)];
      const names = new Map(parts.flatMap((part) => part.names as [string, NameEntry][]));
      const reverse = new Map(parts.flatMap((part) => part.reverse as [string, NameEntry][]));
      return { zone, names, reverse, serial, revision };
    },
    tableParts: () => tableParts(),
    problems: () => [...services.keys()].flatMap((key) => namesNow(key, true).problems),
  };
}

function samePointer(a: Pointer | undefined, b: Pointer | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.clusterIp === b.clusterIp &&
    a.targets.length === b.targets.length &&
    a.targets.every((target, index) => target === b.targets[index])
  );
}

/** Revisions are whole numbers in decimal; the longer, or else the later text, is the newer. */
function newest(a: string, b: string): string {
  return a.length === b.length ? (a > b ? a : b) : a.length > b.length ? a : b;
}
