import { isIP } from "node:net";
import { isMap, isScalar, LineCounter, parseDocument, visit } from "yaml";
import { parseCidr } from "#base/cidr.ts";
import { parseSpan } from "#base/span.ts";
import type { ConfigProblem } from "#api/config/problem.ts";
import { boolean, integer, list, mapping, oneOf, rootPlace, text, type Reader } from "#api/config/yaml-shape.ts";
import type { Place } from "../http/open.ts";
import { isInterface } from "../modes/checked.ts";
import {
  configApiVersion,
  configKind,
  standardSyncMs,
  type ConntrackFields,
  type DetectLocalMode,
  type IpvsFields,
  type ProxyConfig,
  type SyncTimes,
} from "./kind.ts";

export interface ReadProxyConfig {
  readonly config: ProxyConfig;
  /** In order of lines; with an `error` among them nothing of the text should be used. */
  readonly problems: readonly ConfigProblem[];
}

/** A configuration is a page; the reader of YAML takes its time for what is nested without end. */
const longestText = 1 << 16;

/**
 * Reads a KubeProxyConfiguration, YAML or JSON, by upstream's rules (pkg/proxy/apis/config/validation). All problems are
 * told at once, each with its line and path. A field that is known and has no effect here is told as ignored when it
 * asks for something. Pure.
 */
export function readProxyConfig(source: string, name: string): ReadProxyConfig {
  const problems: ConfigProblem[] = [];
  const lines = new LineCounter();
  const at = (offset: number, text: string, severity: ConfigProblem["severity"] = "error") =>
    problems.push({ file: name, line: Math.max(1, lines.linePos(offset).line), text, severity });
  if (source.length > longestText) {
    at(0, `the text is longer than ${longestText} characters`);
    return { config: {}, problems };
  }
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, logLevel: "silent" });
  for (const error of document.errors) at(error.pos[0], error.message);
  if (problems.length > 0) return { config: {}, problems };
  // A field without a value is one that is not set.
  visit(document, { Pair: (_, { value }) => (isScalar(value) && value.value === null ? visit.REMOVE : undefined) });
  const root = rootPlace(document.contents, lines, name, problems);
  const read = configuration((offset, path) => at(offset, `${path} has no effect here`, "ignored"))(root);
  for (const [mode, field] of Object.entries(interfaceFields)) {
    if (read?.detectLocalMode !== mode || read.detectLocal?.[field] !== undefined) continue;
    at(root.offset, `detectLocal.${field} must be given where detectLocalMode is ${mode}`);
  }
  problems.sort((a, b) => a.line - b.line);
  if (read === undefined) return { config: {}, problems };
  const { apiVersion: _, kind: __, mode, detectLocalMode, ...rest } = read;
  return {
    config: {
      ...rest,
      ...(mode === undefined || mode === "" ? {} : { mode }),
      ...(detectLocalMode === undefined || detectLocalMode === "" ? {} : { detectLocalMode }),
    },
    problems,
  };
}

type Tell = (offset: number, path: string) => void;

const anyText = text((value) => value, "a text");
const span = text(
  (value) => (/^\d*[1-9]\d*$/.test(value) ? undefined : parseSpan(value)),
  "a span of time that is not negative, e.g. 30s or 1m30s",
);
const cidr = text(
  (value) => (parseCidr(value) === undefined ? undefined : value),
  "a range of addresses, e.g. 10.0.0.0/8",
);

/** A value that is checked, and told when it asks for something. */
function unused<T>(read: Reader<T>, tell: Tell): Reader<never> {
  return (place) => {
    const value = read(place);
    if (value !== undefined && asksForSomething(value)) tell(place.offset, place.path);
    return undefined;
  };
}

function asksForSomething(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.values(value).some(asksForSomething);
  return value !== 0 && value !== "" && value !== false && value !== "0" && value !== "0s";
}

/** A mapping whose keys are free. */
const anything: Reader<unknown> = ({ node, path, offset, tell }) => {
  if (isMap(node)) return node.toJSON();
  tell(offset, `${path} must be a mapping`);
  return undefined;
};

/** One of the words, or the empty text. */
function oneOrBlank<T extends string>(...words: readonly T[]): Reader<T | ""> {
  const read = oneOf(...words);
  return (place) => (isScalar(place.node) && place.node.value === "" ? "" : read(place));
}

/** `IP` or `IP:PORT`; empty for the default. */
function bindAddress(standard: number): Reader<Place> {
  const read = text((value): Place | "" | undefined => {
    if (value === "") return "";
    if (isIP(value) !== 0) return { address: value, port: standard };
    const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(value) ?? [];
    const address = bracketed ?? plain ?? "";
    const port = Number(digits);
    return isIP(address) !== 0 && port >= 1 && port <= 65_535 ? { address, port } : undefined;
  }, `IP:PORT, e.g. 0.0.0.0:${standard}`);
  return (place) => {
    const value = read(place);
    return value === "" ? undefined : value;
  };
}

const ranges: Reader<readonly string[]> = (place) => {
  const read = text((value) => {
    const parts = value === "" ? [] : value.split(",");
    const families = parts.map((part) => parseCidr(part)?.family);
    const isRight = parts.length <= 2 && families.every((family) => family !== undefined);
    return isRight && new Set(families).size === parts.length ? parts : undefined;
  }, "one range of addresses, or one of each family with a comma between (10.100.0.0/16,fde4:8dba:82e1::/48)")(place);
  return read?.length === 0 ? undefined : read;
};

const interfaceName: Reader<string> = (place) =>
  text(
    (value) => (value === "" || (isInterface(value) && !value.endsWith("+")) ? value : undefined),
    "the name of an interface",
  )(place) || undefined;

/** Ranges, or the word `primary` and nothing else (upstream `validateKubeProxyNodePortAddress`). */
const nodePortAddresses: Reader<readonly string[]> = (place) => {
  const words = list(
    text(
      (value) => (value === "primary" || parseCidr(value) !== undefined ? value : undefined),
      "a range of addresses, or primary",
    ),
  )(place);
  if (words === undefined || words.length < 2 || !words.includes("primary")) return words;
  place.tell(place.offset, `${place.path} must be ranges, or primary alone`);
  return undefined;
};

/** The times must fit each other (upstream `validateKubeProxyIPTablesConfiguration`). */
function section<T extends SyncTimes>(read: Reader<T>): Reader<T> {
  return (place) => {
    const found = read(place);
    if (found === undefined) return undefined;
    const { syncPeriod = 0, minSyncPeriod = 0 } = found;
    if ((syncPeriod || standardSyncMs) >= minSyncPeriod) return found;
    place.tell(place.offset, `${place.path}.syncPeriod must be greater than or equal to ${place.path}.minSyncPeriod`);
    return undefined;
  };
}

/** The field that a way to know pods takes. */
const interfaceFields = { BridgeInterface: "bridgeInterface", InterfaceNamePrefix: "interfaceNamePrefix" } as const;

interface InFile extends Omit<ProxyConfig, "mode" | "detectLocalMode"> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly mode?: "" | NonNullable<ProxyConfig["mode"]>;
  readonly detectLocalMode?: "" | DetectLocalMode;
}

const schedulers = ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "dh", "sed", "nq", "mh"] as const;

/** Every field upstream knows; those that end in `no(…)` have no effect. */
function configuration(tell: Tell): Reader<InFile> {
  const no = <T>(read: Reader<T>) => unused(read, tell);
  const bit = no(integer(0, 31));
  const times = { syncPeriod: span, minSyncPeriod: span };
  const named = (word: string): Reader<string> => text((value) => (value === word ? value : undefined), word);
  const count = integer(0, 1_000_000_000);
  return mapping<InFile & Record<string, unknown>>(
    {
      apiVersion: named(configApiVersion),
      kind: named(configKind),
      mode: oneOrBlank("nftables", "iptables", "ipvs", "userspace"),
      hostnameOverride: (place) => anyText(place) || undefined,
      clientConnection: mapping<NonNullable<ProxyConfig["clientConnection"]> & Record<string, unknown>>({
        kubeconfig: (place) => anyText(place) || undefined,
        acceptContentTypes: no(anyText),
        contentType: no(anyText),
        qps: no(integer(0, 1_000_000)),
        burst: no(integer(0, 1_000_000)),
      }),
      healthzBindAddress: bindAddress(10_256),
      metricsBindAddress: bindAddress(10_249),
      clusterCIDR: ranges,
      detectLocalMode: oneOrBlank("ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"),
      detectLocal: mapping<NonNullable<ProxyConfig["detectLocal"]> & Record<string, unknown>>({
        bridgeInterface: interfaceName,
        interfaceNamePrefix: interfaceName,
      }),
      iptables: section(
        mapping<SyncTimes & Record<string, unknown>>({
          ...times,
          masqueradeBit: bit,
          masqueradeAll: boolean,
          localhostNodePorts: no(boolean),
        }),
      ),
      nftables: section(
        mapping<SyncTimes & Record<string, unknown>>({ ...times, masqueradeBit: bit, masqueradeAll: boolean }),
      ),
      ipvs: section(
        mapping<SyncTimes & IpvsFields & Record<string, unknown>>({
          ...times,
          scheduler: oneOrBlank(...schedulers),
          excludeCIDRs: list(cidr),
          strictARP: boolean,
          tcpTimeout: span,
          tcpFinTimeout: span,
          udpTimeout: span,
        }),
      ),
      bindAddress: no(
        text(
          (value) => (value === "" || isIP(value) !== 0 ? value.replace(/^0\.0\.0\.0$/, "") : undefined),
          "an IP address",
        ),
      ),
      bindAddressHardFail: no(boolean),
      enableProfiling: no(boolean),
      showHiddenMetricsForVersion: no(anyText),
      featureGates: no(anything),
      logging: no(anything),
      oomScoreAdj: no(integer(-1000, 1000)),
      configSyncPeriod: no(span),
      portRange: no(anyText),
      udpIdleTimeout: no(span),
      windowsRunAsService: no(boolean),
      nodePortAddresses,
      conntrack: mapping<ConntrackFields & Record<string, unknown>>({
        maxPerCore: count,
        min: count,
        tcpEstablishedTimeout: span,
        tcpCloseWaitTimeout: span,
        tcpBeLiberal: boolean,
        udpTimeout: span,
        udpStreamTimeout: span,
      }),
      winkernel: no(anything),
    },
    ["apiVersion", "kind"],
  );
}
