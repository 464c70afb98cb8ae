import type { PodSpec } from "#api/core/pod/kind.ts";

/** The name resolution of a pod, before it is written as a file. */
export interface Resolv {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  /** `name` or `name:value`. */
  readonly options: readonly string[];
}

const limits = { nameservers: 3, searches: 32, searchCharacters: 2048 };

/** What a resolv.conf says, read as the kubelet reads it: the last `search` line wins, `options` add up. */
export function parseResolv(text: string): Resolv {
  const nameservers: string[] = [];
  let searches: string[] = [];
  const options = new Map<string, string>();
  for (const line of text.split("\n")) {
    if (line.startsWith("#")) continue;
    const [word = "", ...rest] = line.trim().split(/\s+/);
    if (word === "nameserver" && rest[0] !== undefined) nameservers.push(rest[0]);
    if (word === "search") searches = rest.filter((name) => name !== ".").map((name) => name.replace(/\.$/, ""));
    if (word === "options") for (const option of rest) options.set(option.split(":")[0] ?? option, option);
  }
  return { nameservers, searches, options: [...options.values()] };
}

export interface ResolvInput {
  readonly spec: PodSpec;
  readonly namespace: string;
  readonly clusterDomain: string;
  readonly dnsAddress: string;
  /** What the machine itself uses. */
  readonly host: Resolv;
}

/** A pod's name resolution by its `dnsPolicy` and `dnsConfig` (`pkg/kubelet/network/dns`). Pure. */
export function compileResolv({ spec, namespace, clusterDomain, dnsAddress, host }: ResolvInput): Resolv {
  const base = baseOf(spec, { namespace, clusterDomain, dnsAddress, host });
  const { nameservers = [], searches = [], options = [] } = spec.dnsConfig ?? {};
  const merged = new Map(base.options.map((option) => [option.split(":")[0] ?? option, option]));
  for (const { name, value } of options) {
    if (name !== undefined) merged.set(name, value === undefined ? name : `${name}:${value}`);
  }
  return {
    nameservers: [...new Set([...base.nameservers, ...nameservers])].slice(0, limits.nameservers),
    searches: cutSearches([...new Set([...base.searches, ...searches])]),
    options: [...merged.values()],
  };
}

function baseOf(spec: PodSpec, { namespace, clusterDomain, dnsAddress, host }: Omit<ResolvInput, "spec">): Resolv {
  const { dnsPolicy = "ClusterFirst", hostNetwork = false } = spec;
  if (dnsPolicy === "None") return { nameservers: [], searches: [], options: [] };
  if (dnsPolicy === "Default" || (dnsPolicy === "ClusterFirst" && hostNetwork)) return host;
  return {
    nameservers: [dnsAddress],
    searches: [`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain, ...host.searches],
    options: ["ndots:5"],
  };
}

function cutSearches(searches: readonly string[]): string[] {
  const kept = searches.filter((name) => name.length <= 253).slice(0, limits.searches);
  while (kept.join(" ").length > limits.searchCharacters) kept.pop();
  return kept;
}

export function renderResolv({ nameservers, searches, options }: Resolv): string {
  const lines = nameservers.map((server) => `nameserver ${server}`);
  if (searches.length > 0) lines.push(`search ${searches.join(" ")}`);
  if (options.length > 0) lines.push(`options ${options.join(" ")}`);
  return `${lines.join("\n")}\n`;
}
