import { availableParallelism } from "node:os";
import { isIP } from "node:net";
import { isScalar, LineCounter, parseDocument } from "yaml";
import type { ListenAddress } from "../contract.ts";
import { parseNameservers } from "../forward/upstreams.ts";
import { rewriteProblem } from "../rewrite/rules.ts";
import type { CacheSettings, DnsLimits, DnsSettings, ForwardRule, HostsSettings, RewriteRule } from "../settings.ts";
import { parseAddressPort, parseDomain, parseUpstream } from "./addresses.ts";
import type { DnsConfig, HttpSettings, ReadFile } from "./contract.ts";
import { parseHostsFile } from "./hosts-text.ts";
import type { ConfigProblem } from "#api/config/problem.ts";
import { readOrTell } from "./read-file.ts";
import { boolean, integer, list, mapping, oneOf, rootPlace, text, type Reader } from "#api/config/yaml-shape.ts";

const longestText = 1 << 20;
const day = 86_400;
const mostWorkers = 32;
const domain = text(parseDomain, "a domain name");
const count = integer(0, 1_000_000);

/**
 * Reads a configuration in YAML: the keys of `DnsSettings`, with `clusterDomain`, `listen` and `http` beside them. All
 * problems are told at once, each with its line; nothing is passed over in silence. `readFile` is asked for the files
 * that the configuration names.
 */
export function readDnsConfig(source: string, fileName: string, { readFile }: { readFile: ReadFile }): DnsConfig {
  const problems: ConfigProblem[] = [];
  const lines = new LineCounter();
  const at = (offset: number, text: string) =>
    problems.push({ file: fileName, line: Math.max(1, lines.linePos(offset).line), text, severity: "error" });
  if (source.length > longestText) {
    at(0, `the file is longer than ${longestText} characters`);
    return { settings: {}, problems };
  }
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, logLevel: "silent" });
  for (const error of document.errors) at(error.pos[0], error.message);
  const { contents } = document;
  const isEmpty = contents === null || (isScalar(contents) && contents.value === null);
  if (problems.length > 0 || isEmpty) return { settings: {}, problems };
  const read = file(readFile)(rootPlace(contents, lines, fileName, problems)) ?? {};
  const { clusterDomain, listen, http, forward, hosts, workers, ...rest } = read;
  const settings: DnsSettings = {
    ...rest,
    ...(forward === undefined
      ? {}
      : { forward: forward.map(({ to, ...rule }) => ({ ...rule, upstreams: to.flat() })) }),
    ...(hosts === undefined ? {} : { hosts: entriesOf(hosts) }),
    ...(workers === undefined ? {} : { workers }),
  };
  problems.sort((a, b) => a.line - b.line);
  return {
    settings,
    ...(clusterDomain === undefined ? {} : { clusterDomain }),
    ...(listen === undefined ? {} : { listen }),
    ...(http === undefined ? {} : { http }),
    problems,
  };
}

type Upstream = ForwardRule["upstreams"][number];

interface HostsInFile extends Omit<HostsSettings, "entries"> {
  readonly file?: HostsSettings["entries"];
  readonly entries?: HostsSettings["entries"];
}

interface ConfigFile extends Omit<DnsSettings, "forward" | "hosts"> {
  readonly clusterDomain?: string;
  readonly listen?: readonly ListenAddress[];
  readonly http?: HttpSettings;
  readonly forward?: readonly (Omit<ForwardRule, "upstreams"> & { readonly to: readonly (readonly Upstream[])[] })[];
  readonly hosts?: HostsInFile;
}

function entriesOf({ file = [], entries = [], ...rest }: HostsInFile): HostsSettings {
  return { ...rest, entries: [...file, ...entries] };
}

function file(readFile: ReadFile): Reader<ConfigFile> {
  return mapping<ConfigFile>({
    clusterDomain: domain,
    listen: list(address(53)),
    http: mapping<HttpSettings>({
      health: address(8080),
      ready: address(8181),
      metrics: address(9153),
      lameduckMs: integer(0, 600_000),
    }),
    zones: list(domain),
    pods: oneOf("insecure", "verified", "disabled"),
    ttlSeconds: integer(0, 3600),
    negativeTtlSeconds: integer(0, 3600),
    endpointPodNames: boolean,
    ignoreEmptyService: boolean,
    namespaces: list(
      text((name) => (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name) ? name : undefined), "a namespace"),
    ),
    forward: list(
      mapping<NonNullable<ConfigFile["forward"]>[number]>(
        {
          zone: domain,
          to: list(upstreams(readFile)),
          policy: oneOf("random", "round_robin", "sequential"),
          except: list(domain),
          attemptTimeoutMs: integer(10, 60_000),
          totalTimeoutMs: integer(10, 60_000),
          maxConcurrent: integer(1, 100_000),
          maxFails: integer(0, 1_000),
          healthCheckMs: integer(50, 600_000),
        },
        ["zone", "to"],
      ),
    ),
    cache: mapping<CacheSettings>({
      capacity: count,
      maxTtlSeconds: integer(0, 65_535),
      maxNegativeTtlSeconds: integer(0, 65_535),
      minTtlSeconds: integer(0, 3600),
      prefetch: mapping<NonNullable<CacheSettings["prefetch"]>>(
        { hits: integer(1, 1_000_000), percent: integer(1, 90) },
        ["hits", "percent"],
      ),
      serveStaleSeconds: integer(0, 7 * day),
    }),
    hosts: mapping<HostsInFile>({
      file: hostsFile(readFile),
      entries: list(
        mapping<HostsSettings["entries"][number]>({ address: ip, names: list(domain) }, ["address", "names"]),
      ),
      ttlSeconds: integer(0, 7 * day),
      fallthrough: boolean,
    }),
    rewrite: list(rewriteRule),
    queryLog: oneOf("off", "errors", "all"),
    workers: (place) =>
      isScalar(place.node) && place.node.value === "auto"
        ? Math.min(mostWorkers, availableParallelism())
        : integer(1, mostWorkers)(place),
    limits: mapping<DnsLimits>({
      udpPayload: integer(512, 4_096),
      tcpConnections: integer(1, 100_000),
      tcpIdleMs: integer(100, 600_000),
      perClientRate: count,
    }),
  });
}

const ip = text((value) => (isIP(value) === 0 ? undefined : value), "an IP address");

function address(port: number): Reader<ListenAddress> {
  const wanted = `ADDRESS, ADDRESS:PORT or :PORT, e.g. 0.0.0.0:${port}`;
  return text((value) => parseAddressPort(value, { port, anyAddress: "0.0.0.0" }), wanted);
}

const someRule = mapping<RewriteRule>(
  {
    match: oneOf("exact", "prefix", "suffix", "substring", "regex"),
    from: text((value) => (value === "" ? undefined : value), "a text that is not empty"),
    to: text((value) => value, "a text"),
    answerAsked: boolean,
  },
  ["match", "from", "to"],
);

const rewriteRule: Reader<RewriteRule> = (place) => {
  const rule = someRule(place);
  const why = rule === undefined ? undefined : rewriteProblem(rule);
  if (why === undefined) return rule;
  place.tell(place.offset, `${place.path}: ${why}`);
  return undefined;
};

/** An upstream is an address, with a port or without, or the path of a resolv.conf, which stands for its name servers. */
function upstreams(readFile: ReadFile): Reader<Upstream[]> {
  const one = text(parseUpstream, "ADDRESS, ADDRESS:PORT or the path of a resolv.conf");
  return (place) => {
    const path = isScalar(place.node) && typeof place.node.value === "string" ? place.node.value : "";
    if (!path.startsWith("/")) {
      const found = one(place);
      return found === undefined ? undefined : [found];
    }
    const content = readOrTell(readFile, path, (why) => place.tell(place.offset, `${place.path}: ${why}`));
    const found = content === undefined ? undefined : parseNameservers(content);
    if (found?.length === 0) place.tell(place.offset, `${place.path}: ${path} names no name server`);
    return found;
  };
}

function hostsFile(readFile: ReadFile): Reader<HostsSettings["entries"]> {
  const path = text((value) => (value.startsWith("/") ? value : undefined), "the path of a hosts file");
  return (place) => {
    const name = path(place);
    if (name === undefined) return undefined;
    const content = readOrTell(readFile, name, (why) => place.tell(place.offset, `${place.path}: ${why}`));
    return content === undefined ? undefined : parseHostsFile(content);
  };
}
