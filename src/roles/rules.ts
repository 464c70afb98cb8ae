import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAddress, parseCidr, type Family } from "#base/cidr.ts";
import { zoneLabel, type Node } from "#api/core/node/kind.ts";
import { createRemoteClient } from "#client/remote.ts";
import { assumeCluster, type ServiceObjects } from "#insight/rules/assume.ts";
import { annotateLive, type LiveRule, type LiveTexts } from "#insight/rules/live.ts";
import { iptablesOf, renderRulesOf, type RenderedRules, type Rule, type RulesMode } from "#insight/rules/render.ts";
import { netnsFolder, netnsPrefix } from "#node/network/plan.ts";
import { inNamespace, runCommand } from "#proxy/command.ts";
import type { ProxyNode } from "#proxy/mode.ts";
import { tableOf } from "#proxy/modes/nftables/names.ts";
import { compileTable } from "#routing/l4/compile.ts";
import { checkAccess, connectionOf } from "./connection.ts";
import { loadManifests } from "./manifests.ts";
import { RoleError } from "./report.ts";
import { clusterId, dataPaths } from "./state.ts";

/** What `fairlead rules` runs with. */
export interface RulesOptions {
  /** Files and folders; none asks a running cluster. */
  readonly manifests: readonly string[];
  readonly modes: readonly RulesMode[];
  /** Whose rules; the first Node's when left out. */
  readonly node?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Where the cluster of `fairlead up` keeps its kubeconfig. */
  readonly dataDir: string;
  readonly serviceCidr: string;
  readonly podCidr: string;
  /** What stands on the node, and not what would: needs root, on the node. */
  readonly live?: boolean;
}

export interface RulesOutcome {
  readonly node: string;
  readonly rules: readonly (Omit<RenderedRules, "rules"> & { readonly rules: readonly (Rule | LiveRule)[] })[];
  /** What was made up in place of a cluster. */
  readonly notes: readonly string[];
  /** What of the manifests cannot be read. */
  readonly unreadable: readonly string[];
}

/** The rules that the service proxy would have on a node. Needs no root and changes nothing. Rejects with `RoleError`. */
export async function explainRules(
  options: RulesOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<RulesOutcome> {
  const { objects, node, notes, unreadable } =
    options.manifests.length > 0 ? ofManifests(options) : await ofCluster(options, env);
  const tables = ([4, 6] as const).map((family) => compileTable(objects.services, objects.slices, family));
  // A family without a Service has no rules worth showing; what stands on a node may be left over.
  const used = tables.filter(({ ports }) => ports.size > 0);
  const families = options.live === true ? tables : used.length > 0 ? used : tables.slice(0, 1);
  const rendered = options.modes.flatMap((mode) =>
    families.map((table) => renderRulesOf(mode, table, ofFamily(node, table.family))),
  );
  const rules = options.live === true ? await standing(rendered, netnsOf(options.dataDir, node.name)) : rendered;
  return { node: node.name, notes, unreadable, rules };
}

/** The namespace of a node of the cluster in the data folder; nodes elsewhere are the machine this runs on. */
function netnsOf(dataDir: string, node: string): string | undefined {
  const path = `${netnsFolder}/${netnsPrefix(clusterId(dataPaths(dataDir).root))}${node}`;
  return existsSync(path) ? path : undefined;
}

/** What stands in the namespace, of the modes that have something there. */
async function standing(rendered: readonly RenderedRules[], netns: string | undefined) {
  if (process.getuid?.() !== 0)
    throw new RoleError("only root may see the rules of a node", "leave out --live, or use sudo");
  const printed = async (...argv: string[]) => {
    const { code, stdout } = await runCommand(inNamespace(netns, argv));
    return code === 0 ? stdout : undefined;
  };
  const [servers, connections] = await Promise.all([printed("ipvsadm", "-S", "-n"), printed("ipvsadm", "-L", "-n")]);
  /** What the programs of one family print. */
  async function textsOf(family: Family): Promise<LiveTexts> {
    const [table, flows, saved] = await Promise.all([
      printed("nft", "list", "table", ...tableOf(family).split(" ")),
      printed("conntrack", "-L", "-f", `ipv${family}`),
      printed(`${iptablesOf(family)}-save`, "-c"),
    ]);
    return {
      ...(table !== undefined && { table }),
      ...(flows !== undefined && { flows }),
      ...(saved !== undefined && { saved }),
      ...(servers !== undefined && { servers }),
      ...(connections !== undefined && { connections }),
    };
  }
  const texts = { 4: await textsOf(4), 6: await textsOf(6) };
  const live = rendered.map(({ rules, ...rest }) => ({
    ...rest,
    rules: annotateLive(rest.mode, texts[rest.family], rules, rest.family),
  }));
  const standing = live.filter(({ rules }) => rules.length > 0);
  if (standing.length > 0) return standing;
  throw new RoleError(
    "no rules of a service proxy stand here",
    "run it on a node, or name one of this machine: --node",
  );
}

interface Gathered {
  readonly objects: ServiceObjects;
  readonly node: ProxyNode;
  readonly notes: readonly string[];
  readonly unreadable: readonly string[];
}

function ofManifests(options: RulesOptions): Gathered {
  const { serviceCidr, podCidr, node: name = "node-1" } = options;
  const { objects, problems } = loadManifests(options.manifests);
  const loaded = objects.map(({ object }) => object);
  const { services, slices, notes } = assumeCluster(loaded, { serviceCidr, podCidr, node: name });
  const nodes = loaded.filter((object): object is Node => object.kind === "Node");
  const node = nodes.find(({ metadata }) => metadata.name === name);
  return { objects: { services, slices }, node: proxyNode(name, node, options), notes, unreadable: problems };
}

async function ofCluster(options: RulesOptions, env: Readonly<Record<string, string | undefined>>): Promise<Gathered> {
  const { context } = options;
  const kubeconfig = options.kubeconfig ?? env["KUBECONFIG"] ?? ownKubeconfig(options.dataDir);
  const connection = connectionOf({ command: "rules", kubeconfig, ...(context !== undefined && { context }) }, env);
  const client = createRemoteClient(connection);
  try {
    const unreachable = await checkAccess(client, connection.server, {
      kinds: ["Service", "EndpointSlice", "Node"],
      what: "what the service proxy serves",
      rights: "list of services, nodes and endpointslices.discovery.k8s.io",
    });
    if (unreachable !== undefined) throw new RoleError(unreachable, "give manifests instead: fairlead rules FILE");
    const [services, slices, nodes] = await Promise.all([
      client.list("Service"),
      client.list("EndpointSlice"),
      client.list("Node"),
    ]);
    const name = options.node ?? nodes.items[0]?.metadata.name ?? "node-1";
    const node = nodes.items.find(({ metadata }) => metadata.name === name);
    if (node === undefined) {
      const names = nodes.items.map(({ metadata }) => metadata.name).join(", ");
      throw new RoleError(`the cluster has no Node ${name}`, `it has: ${names === "" ? "none" : names}`);
    }
    const objects = { services: services.items, slices: slices.items };
    return { objects, node: proxyNode(name, node, options), notes: [], unreadable: [] };
  } finally {
    client.close();
  }
}

function ownKubeconfig(dataDir: string): string {
  const { kubeconfig } = dataPaths(dataDir);
  try {
    readFileSync(kubeconfig);
    return kubeconfig;
  } catch {
    throw new RoleError(
      `no cluster is named, and none of this user is in ${join(dataDir, "")}`,
      "give manifests, fairlead rules FILE, or its kubeconfig: --kubeconfig FILE",
    );
  }
}

/** What of a node is of one family. */
function ofFamily(node: ProxyNode, family: Family): ProxyNode {
  const inRange = (texts: readonly string[]) => texts.filter((text) => parseCidr(text)?.family === family);
  return {
    ...node,
    family,
    addresses: node.addresses.filter((text) => parseAddress(text)?.family === family),
    podCidrs: inRange(node.podCidrs),
    serviceCidrs: inRange(node.serviceCidrs),
  };
}

function proxyNode(name: string, node: Node | undefined, { podCidr, serviceCidr }: RulesOptions): ProxyNode {
  const addresses = (node?.status?.addresses ?? []).filter(({ type }) => type === "InternalIP");
  const zone = node?.metadata.labels?.[zoneLabel];
  return {
    name,
    addresses: addresses.map(({ address }) => address),
    podCidrs: podCidr.split(","),
    serviceCidrs: serviceCidr.split(","),
    ...(zone === undefined ? {} : { zone }),
  };
}
