import { isDeepStrictEqual } from "node:util";
import type { ConfigMap } from "#api/core/configmap/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import { parseKey } from "#api/meta/object.ts";
import type { StreamEntry } from "#dataplane/table.ts";
import { sourceOf, type Because, type Problem } from "../because.ts";
import { createManyIndex } from "../l7/many.ts";
import { dropNulls } from "../l7/nulls.ts";
import { createSliceIndex } from "../l7/slice-index.ts";
import { compileStream, type StreamTimes } from "./stream.ts";
import { readStreamLine } from "./read.ts";

export interface StreamCompilerOptions {
  /** The ConfigMaps that say which ports there are, by `namespace/name`. */
  readonly configMaps: { readonly tcp?: string; readonly udp?: string };
  /** TCP ports that are in use already, and for what. */
  readonly reserved: ReadonlyMap<number, string>;
  readonly times: StreamTimes;
}

/** A stream with the reason why it is there. */
export interface StreamOutcome {
  readonly entry?: StreamEntry;
  readonly because: Because;
  readonly problem?: Problem;
}

/**
 * Keeps the table of streams and follows single changes, as the compiler of Ingresses does: a change costs what depends on
 * it, and one bad line leaves all others as they are.
 */
export interface StreamCompiler {
  readonly wantedConfigMaps: ReadonlySet<string>;
  /** `undefined` when there is none. Others than the wanted ones are left alone. */
  configMap(key: string, after: ConfigMap | undefined): void;
  service(key: string, after: Service | undefined): void;
  slice(key: string, after: EndpointSlice | undefined): void;
  /** What changed since the last call, or `undefined`. */
  take(): (readonly [id: string, entry: StreamEntry | undefined])[] | undefined;
  problems(): readonly Problem[];
  /** By id. */
  result(): ReadonlyMap<string, StreamOutcome>;
  /** Where the line of a stream stands, for problems that show later. */
  sourceOf(id: string): Problem["at"] | undefined;
}

interface Line {
  readonly protocol: "tcp" | "udp";
  readonly key: string;
  readonly value: string;
  readonly configMap: ConfigMap;
}

export function createStreamCompiler({ configMaps, reserved, times }: StreamCompilerOptions): StreamCompiler {
  const services = new Map<string, Service>();
  const slices = createSliceIndex();
  const lines = new Map<string, Line>();
  const linesOfService = createManyIndex();
  const outcomes = new Map<string, StreamOutcome>();
  const missing = new Map<string, Problem>();
  const dirty = new Set<string>();
  const protocols = (["tcp", "udp"] as const).flatMap((protocol) => {
    const key = configMaps[protocol];
    return key === undefined ? [] : [{ protocol, key }];
  });

  function setLines(protocol: "tcp" | "udp", name: string, configMap: ConfigMap | undefined): void {
    const data = new Map(Object.entries(configMap?.data ?? {}));
    for (const id of lines.keys()) {
      if (id.startsWith(`${protocol}:`) && !data.has(id.slice(4))) dirty.add(id);
    }
    if (configMap === undefined) {
      const at = { kind: "ConfigMap", ...parseKey(name) };
      const message = `ConfigMap ${name} does not exist, so there are no ${protocol.toUpperCase()} ports; create it`;
      missing.set(name, { at, code: "configmap-not-found", message });
    } else missing.delete(name);
    for (const id of lines.keys()) if (id.startsWith(`${protocol}:`)) forget(id);
    if (configMap === undefined) return;
    for (const [key, value] of data) {
      const id = `${protocol}:${key}`;
      lines.set(id, { protocol, key, value, configMap });
      const wish = readStreamLine(protocol, key, value);
      if (typeof wish !== "string") linesOfService.add(`${wish.namespace}/${wish.service}`, id);
      dirty.add(id);
    }
  }

  function forget(id: string): void {
    const line = lines.get(id);
    lines.delete(id);
    if (line === undefined) return;
    const wish = readStreamLine(line.protocol, line.key, line.value);
    if (typeof wish !== "string") linesOfService.remove(`${wish.namespace}/${wish.service}`, id);
  }

  function compile(line: Line): StreamOutcome {
    const { protocol, key, value, configMap } = line;
    const at = sourceOf(configMap, `data[${key}]`);
    const wish = readStreamLine(protocol, key, value);
    const problem = (code: string, reason: string): StreamOutcome => {
      return { because: { from: [at] }, problem: { at, code, message: `data[${key}]: ${reason}` } };
    };
    if (typeof wish === "string") return problem("stream-invalid", `${wish}; the port is not served`);
    const taken = protocol === "tcp" ? reserved.get(wish.port) : undefined;
    if (taken !== undefined) return problem("stream-port-reserved", `port ${key} is ${taken}; choose another one`);
    const service = services.get(`${wish.namespace}/${wish.service}`);
    const own = slices.of(`${wish.namespace}/${wish.service}`);
    const outcome = compileStream({ id: `${protocol}:${key}`, protocol, wish, times }, service, own);
    if (typeof outcome === "string") return problem("stream-service-not-found", outcome);
    return { entry: outcome, because: { from: service === undefined ? [at] : [at, sourceOf(service)] } };
  }

  function mark(service: string): void {
    for (const id of linesOfService.of(service)) dirty.add(id);
  }

  return {
    wantedConfigMaps: new Set(protocols.map(({ key }) => key)),
    configMap(key, after) {
      for (const { protocol, key: name } of protocols) if (name === key) setLines(protocol, name, dropNulls(after));
    },
    service(key, after) {
      if (protocols.length === 0) return;
      if (after === undefined) services.delete(key);
      else services.set(key, dropNulls(after));
      mark(key);
    },
    slice(key, after) {
      if (protocols.length > 0) slices.set(key, after, mark);
    },
    take() {
      const changes: (readonly [string, StreamEntry | undefined])[] = [];
      for (const id of dirty) {
        const line = lines.get(id);
        const before = outcomes.get(id)?.entry;
        const outcome = line === undefined ? undefined : compile(line);
        if (outcome === undefined) outcomes.delete(id);
        else outcomes.set(id, outcome);
        if (!isDeepStrictEqual(before, outcome?.entry)) changes.push([id, outcome?.entry]);
      }
      dirty.clear();
      return changes.length === 0 ? undefined : changes;
    },
    problems: () => [...missing.values(), ...[...outcomes.values()].flatMap(({ problem }) => problem ?? [])],
    result: () => outcomes,
    sourceOf: (id) => {
      const line = lines.get(id);
      return line === undefined ? undefined : sourceOf(line.configMap, `data[${line.key}]`);
    },
  };
}
