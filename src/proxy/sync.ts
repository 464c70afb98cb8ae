import { parseCidr } from "#base/cidr.ts";
import { systemClock, type Clock } from "#base/clock.ts";
import { silentLog, type Log } from "#base/log.ts";
import type { Client } from "#client/contract.ts";
import type { Problem } from "#routing/because.ts";
import { newerRevision } from "#routing/l4/compile.ts";
import type { ModeDefinition } from "./definition.ts";
import type { ProxyModeName, ProxyNode, ServedAddress } from "./mode.ts";
import { chooseMode, cleanUpOthers } from "./modes/index.ts";
import { startServiceSource, type ServiceSource } from "./source.ts";
import { startProxy, type RunningProxy } from "./loop.ts";
import { waitWithdrawn } from "./withdrawn.ts";

export interface NodeProxiesOptions {
  readonly client: Client;
  readonly nodes: readonly ProxyNode[];
  /** `auto` takes the best mode that works on the node. */
  readonly mode?: ProxyModeName | "auto";
  /** Ranges for nodes that name none of their own. */
  readonly serviceCidr?: string;
  readonly podCidr?: string;
  readonly log?: Log;
  readonly clock?: Clock;
}

/** The mode of a node, and why; a warning when it is not the one that was asked for. */
export interface ChosenMode {
  readonly name: ProxyModeName;
  readonly reason: string;
  readonly warning?: string;
}

export interface RunningProxies {
  /** By node name: the mode, and why it was chosen. */
  readonly modes: ReadonlyMap<string, ChosenMode>;
  readonly source: ServiceSource;
  proxy(node: string): RunningProxy | undefined;
  /** The lowest revision that is in force on every node. */
  applied(): string;
  /** Resolves when that revision is in force on every node. */
  waitFor(revision: string): Promise<void>;
  /** Resolves when no rule sends new connections to this address as a ready endpoint any more, or after a second. */
  withdrawn(address: string): Promise<void>;
  problems(): readonly Problem[];
  /** Where service ports are reached on a node whose mode serves at places of its own, as userspace does. */
  addresses(node: string): readonly ServedAddress[];
  /** Ends the program's part; what is in the kernel stays, and traffic goes on. */
  stop(): Promise<void>;
  /** Stops, and removes what is in the kernel of every node. */
  cleanup(): Promise<void>;
}

/**
 * The service proxy of every node of one process. Rejects, with nothing left running, when a mode that was asked for
 * cannot work; the message says why and which modes there are.
 */
export async function startNodeProxies(options: NodeProxiesOptions): Promise<RunningProxies> {
  const { client, mode = "auto", serviceCidr, podCidr, log = silentLog, clock = systemClock } = options;
  const nodes = options.nodes.map((node) => withRanges(node, serviceCidr, podCidr));
  const choices = await Promise.all(
    nodes.map(async (node) => ({ node, choice: await chooseMode(mode, (definition) => definition.probe(node)) })),
  );
  const chosen = new Map<string, ChosenMode>();
  const starts: { node: ProxyNode; definition: ModeDefinition }[] = [];
  for (const { node, choice } of choices) {
    if (choice.mode === undefined) throw new Error(`node ${node.name}: ${choice.message}`);
    starts.push({ node, definition: choice.mode });
    const { mode, reason, warning } = choice;
    chosen.set(node.name, { name: mode.name, reason, ...(warning === undefined ? {} : { warning }) });
    log.info({ node: node.name, mode: mode.name, reason }, "the service proxy has its mode");
    if (warning !== undefined) log.warn({ node: node.name, mode: mode.name }, warning);
  }
  const source = startServiceSource(client, { log, clock });
  // Meanwhile the lists arrive.
  await Promise.all(starts.map(({ node, definition }) => cleanUpOthers(definition, node, log)));
  const proxies = starts.map(({ node, definition }) => {
    const mode = definition.start(node, { log: log.child({ node: node.name }), clock });
    return startProxy({ source, node, mode, log, clock });
  });
  const end = async (how: "stop" | "cleanup") => {
    source.stop();
    await Promise.all(proxies.map((proxy) => proxy[how]()));
  };
  const waitFor = async (revision: string) => {
    await Promise.all(proxies.map((proxy) => proxy.waitFor(revision)));
  };
  return {
    modes: chosen,
    source,
    proxy: (node) => proxies.find((proxy) => proxy.node === node),
    applied: () => lowest(proxies.map((proxy) => proxy.applied())),
    waitFor,
    withdrawn: (address) => waitWithdrawn({ source, inForce: waitFor, clock }, address),
    problems: () => [...source.table().problems, ...proxies.flatMap((proxy) => proxy.problems())],
    addresses: (node) => proxies.find((proxy) => proxy.node === node)?.addresses() ?? [],
    stop: () => end("stop"),
    cleanup: () => end("cleanup"),
  };
}

function withRanges(node: ProxyNode, serviceCidr: string | undefined, podCidr: string | undefined): ProxyNode {
  const ranges = (own: readonly string[], fallback: string | undefined) => {
    const valid = own.filter((range) => parseCidr(range) !== undefined);
    return valid.length > 0 || fallback === undefined ? valid : [fallback];
  };
  const { serviceCidrs, podCidrs } = node;
  return { ...node, serviceCidrs: ranges(serviceCidrs, serviceCidr), podCidrs: ranges(podCidrs, podCidr) };
}

function lowest(revisions: readonly string[]): string {
  const [first = "0", ...rest] = revisions;
  return rest.reduce((low, next) => (newerRevision(low, next) === low ? next : low), first);
}

export { startProxy, type ProxyOptions, type RunningProxy } from "./loop.ts";
export { startServiceSource, type ServiceSource } from "./source.ts";
