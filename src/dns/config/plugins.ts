import { parseSpan } from "#base/span.ts";
import { nearest } from "#api/manifest/nearest.ts";
import { parseAddressPort } from "./addresses.ts";
import type { Directive } from "./corefile-tree.ts";
import { parseCount, type PluginScope } from "./draft.ts";
import { readCache } from "./plugins/cache.ts";
import { readForward } from "./plugins/forward.ts";
import { readHosts } from "./plugins/hosts.ts";
import { readKubernetes } from "./plugins/kubernetes.ts";
import { readRewrite } from "./plugins/rewrite.ts";
import { eachOption } from "./plugins/options.ts";

type PluginReader = (directive: Directive, scope: PluginScope) => void;

/** Of a plugin whose work is always done here: nothing to read. */
const always: PluginReader = () => {};

/** The plugins that are read, by name. Every other one is named and passed over. */
const readers: Readonly<Record<string, PluginReader>> = {
  kubernetes: readKubernetes,
  forward: readForward,
  cache: readCache,
  hosts: readHosts,
  rewrite: readRewrite,
  health: readHealth,
  ready: readReady,
  prometheus: readPrometheus,
  errors: readErrors,
  log: readLog,
  loadbalance: readLoadbalance,
  // Upstreams that lead back to this server are found and left out, and files are watched, whether asked for or not.
  loop: always,
  reload: always,
  bufsize: readBufsize,
  bind: readBind,
  multisocket: readMultisocket,
};

/** Plugins that there are in CoreDNS but not here, so that a slip of the fingers is told from them. */
const elsewhere = (
  "acl any auto autopath azure cancel chaos clouddns debug dns64 dnssec dnstap erratic etcd file geoip grpc " +
  "grpc_server header https https3 k8s_external local metadata minimal nomad nsid quic root route53 secondary sign " +
  "template timeouts tls trace transfer tsig view whoami"
).split(" ");

/** Reads one plugin into the draft. */
export function readPlugin(directive: Directive, scope: PluginScope): void {
  const { name, line } = directive;
  if (Object.hasOwn(readers, name)) return readers[name]?.(directive, scope);
  if (elsewhere.includes(name)) return scope.ignored(line, `plugin ${name} is not built here`);
  const near = nearest(name, [...Object.keys(readers), ...elsewhere]);
  scope.ignored(line, `${name} is not a plugin${near === undefined ? "" : `; did you mean ${near}?`}`);
}

function readHealth(directive: Directive, scope: PluginScope): void {
  scope.draft.http.health = httpAddress(directive, scope, 8080, "0.0.0.0");
  eachOption(directive, scope, {
    lameduck({ args, line }) {
      const span = parseSpan(args[0] ?? "");
      if (span === undefined) scope.error(line, "lameduck needs a span of time, e.g. 5s");
      else scope.draft.http.lameduckMs = span;
    },
  });
}

function readReady(directive: Directive, scope: PluginScope): void {
  scope.draft.http.ready = httpAddress(directive, scope, 8181, "0.0.0.0");
  eachOption(directive, scope, {
    monitor({ args, line }) {
      // Ready once is ready until it goes: what upstream calls until-ready.
      if (args[0] !== "until-ready") scope.ignored(line, `monitor ${args.join(" ")} has no effect here`);
    },
  });
}

function readPrometheus(directive: Directive, scope: PluginScope): void {
  scope.draft.http.metrics = httpAddress(directive, scope, 9153, "127.0.0.1");
  eachOption(directive, scope, {});
}

/** Without an address: the plugin's own port, on all addresses or on loopback as upstream has it. */
function httpAddress({ name, args, line }: Directive, scope: PluginScope, port: number, address: string) {
  const [text] = args;
  const at = text === undefined ? { address, port } : parseAddressPort(text, { port, anyAddress: "0.0.0.0" });
  if (at === undefined) scope.error(line, `${name}: ${text} is not ADDRESS:PORT, e.g. :${port}`);
  return at ?? { address, port };
}

function readErrors(directive: Directive, { draft, ignored }: PluginScope): void {
  draft.settings.queryLog ??= "errors";
  for (const { name, line } of directive.block ?? []) ignored(line, `${name} of errors has no effect here`);
}

function readLog(directive: Directive, scope: PluginScope): void {
  const { draft, ignored } = scope;
  draft.settings.queryLog = "all";
  if (directive.args.length > 0) ignored(directive.line, "names and formats of log have no effect here");
  eachOption(directive, scope, {
    class({ args, line }) {
      if (args.every((word) => word === "error")) draft.settings.queryLog = "errors";
      else if (!args.includes("all")) ignored(line, `class ${args.join(" ")} of log: all questions are logged`);
    },
  });
}

function readLoadbalance({ args, line, block = [] }: Directive, { ignored }: PluginScope): void {
  const [policy = "round_robin"] = args;
  if (policy !== "round_robin" || block.length > 0)
    ignored(line, `loadbalance ${policy}: addresses are always given in turn`);
}

function readBufsize({ args, line }: Directive, { draft, error }: PluginScope): void {
  const size = args[0] === undefined ? 1232 : parseCount(args[0], 512, 4096);
  if (size === undefined) error(line, "bufsize must be between 512 and 4096");
  else draft.limits.udpPayload = size;
}

function readBind(directive: Directive, scope: PluginScope): void {
  for (const text of directive.args) {
    const at = parseAddressPort(text, { port: 0 });
    if (at === undefined) scope.ignored(directive.line, `bind ${text} is not an address; names of links are not read`);
    else scope.draft.bind.push(at.address);
  }
  eachOption(directive, scope, {});
}

function readMultisocket({ args, line }: Directive, { draft, error }: PluginScope): void {
  const workers = args[0] === undefined ? undefined : parseCount(args[0], 1, 32);
  if (args[0] !== undefined && workers === undefined) error(line, "multisocket must be between 1 and 32");
  if (workers !== undefined) draft.settings.workers = workers;
}
