import type { ListenAddress } from "../contract.ts";
import { parseDomain, parsePort } from "./addresses.ts";
import type { DnsConfig, ReadFile } from "./contract.ts";
import { parseCorefile, type Directive, type ServerBlock } from "./corefile-tree.ts";
import { createDraft, type PluginScope } from "./draft.ts";
import { readPlugin } from "./plugins.ts";
import type { ConfigProblem } from "#api/config/problem.ts";

/**
 * Reads a Corefile: the block with `kubernetes` is the server's, every other one gives its zones an upstream of their
 * own (a stub domain). What has no meaning here is named among the problems and passed over; what would be answered
 * otherwise than the file says is an error. `readFile` is asked for the files it names.
 */
export function readCorefile(text: string, fileName: string, { readFile }: { readFile: ReadFile }): DnsConfig {
  const { blocks, problems: syntax } = parseCorefile(text, fileName);
  // What stands between wrong braces would only be misread.
  if (syntax.length > 0) return { settings: {}, problems: syntax };
  const problems: ConfigProblem[] = [];
  const tell = (severity: ConfigProblem["severity"]) => (line: number, text: string) =>
    void problems.push({ file: fileName, line, text, severity });
  const error = tell("error");
  const ignored = tell("ignored");
  const draft = createDraft();
  const ports = new Set<number>();
  const isMain = ({ plugins }: ServerBlock) => plugins.some(({ name }) => name === "kubernetes");
  const served = blocks.flatMap((block) => {
    const keys = block.keys.flatMap((key) => keyOf(key, block.line, { error, ignored }));
    for (const { port } of keys) ports.add(port);
    return keys.length === 0 ? [] : [{ block, zones: keys.map(({ zone }) => zone) }];
  });
  const mains = served.filter(({ block }) => isMain(block));
  if (mains.length === 0) error(1, "no block has the plugin kubernetes: there is no cluster zone");
  for (const { block } of mains.slice(1))
    error(block.line, "kubernetes stands in more than one block: one zone is served");

  const [main] = mains;
  if (main !== undefined) {
    const scope: PluginScope = { draft, zones: main.zones, readFile, error, ignored };
    // Which zone is the cluster's matters to the others.
    for (const plugin of inOrder(main.block.plugins)) readPlugin(plugin, scope);
  }
  for (const { block, zones } of served) {
    if (isMain(block)) continue;
    const scope: PluginScope = { draft, zones, readFile, error, ignored };
    for (const plugin of block.plugins) readStubPlugin(plugin, scope);
  }
  if (ports.size > 1) error(1, `blocks have different ports (${[...ports].join(", ")}): all zones are served on one`);

  const listen: ListenAddress[] = [...ports].flatMap((port) =>
    (draft.bind.length === 0 ? ["0.0.0.0"] : draft.bind).map((address) => ({ address, port })),
  );
  const { settings, forward, rewrite, http, limits, cache, hosts, clusterDomain } = draft;
  problems.sort((a, b) => a.line - b.line);
  return {
    settings: {
      ...settings,
      // A Corefile says all: what none of its rules takes is asked nowhere.
      forward: forward.some(({ zone }) => zone === ".") ? forward : [...forward, { zone: ".", upstreams: [] }],
      ...(rewrite.length === 0 ? {} : { rewrite }),
      ...(Object.keys(limits).length === 0 ? {} : { limits }),
      ...(cache === undefined ? {} : { cache }),
      ...(hosts === undefined ? {} : { hosts }),
    },
    ...(clusterDomain === undefined ? {} : { clusterDomain }),
    ...(listen.length === 0 ? {} : { listen }),
    ...(Object.keys(http).length === 0 ? {} : { http }),
    problems,
  };
}

function inOrder(plugins: readonly Directive[]): Directive[] {
  return [...plugins].sort((a, b) => Number(b.name === "kubernetes") - Number(a.name === "kubernetes"));
}

/** What every block of a stub domain has beside its upstream, and what is one for the whole server here. */
const shared: ReadonlySet<string> = new Set(["errors", "log", "loop", "reload", "loadbalance", "cache", "prometheus"]);

function readStubPlugin(plugin: Directive, scope: PluginScope): void {
  if (plugin.name === "forward" || plugin.name === "bind") readPlugin(plugin, scope);
  else if (plugin.name === "cache" && plugin.block === undefined) return;
  else if (!shared.has(plugin.name) || plugin.block !== undefined)
    scope.ignored(plugin.line, `${plugin.name} in a block without kubernetes has no effect here`);
}

/** The zone and port of a block's key: `ZONE`, `ZONE:PORT`, `dns://ZONE:PORT`. */
function keyOf(
  key: string,
  line: number,
  { error, ignored }: Pick<PluginScope, "error" | "ignored">,
): { zone: string; port: number }[] {
  const [, transport = "dns", rest = key] = /^([a-z0-9]+):\/\/(.*)$/.exec(key) ?? [];
  if (transport !== "dns") {
    ignored(line, `${key}: only plain DNS is answered`);
    return [];
  }
  const [name = "", digits = "53", ...more] = rest.split(":");
  const zone = parseDomain(name === "" ? "." : name);
  const port = parsePort(digits);
  if (zone === undefined || port === undefined || more.length > 0) {
    error(line, `${key} is not ZONE:PORT, e.g. .:53`);
    return [];
  }
  return [{ zone, port }];
}
