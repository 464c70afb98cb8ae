import { parseCidr } from "#base/cidr.ts";
import { systemClock, type Clock } from "#base/clock.ts";
import { silentLog, type Log } from "#base/log.ts";
import type { Client } from "#client/contract.ts";
import { createEventRecorder } from "#client/event-recorder.ts";
import type { Problem } from "#routing/because.ts";
import { newerRevision } from "#routing/l4/compile.ts";
import type { ModeDefinition } from "./definition.ts";
import type { ProxyModeName, ProxyNode, ServedAddress } from "./mode.ts";
import { chooseMode, cleanUpOthers } from "./modes/index.ts";
import { startServiceSource, type ServiceSource } from "./source.ts";
import { standardSyncMs } from "./config/kind.ts";
import type { ProxySettings } from "./config/settings.ts";
import type { RunningProxy } from "./loop.ts";
import { watchNodes } from "./node-facts.ts";
import type { Work } from "./node-proxy.ts";
import { startServedNode } from "./served-node.ts";
import { waitWithdrawn } from "./withdrawn.ts";

export interface NodeProxiesOptions {
  readonly client: Client;
  /** Without addresses of its own a node has those of its Node object. */
  readonly nodes: readonly ProxyNode[];
  /** `auto` takes the best mode that works on the node. */
  readonly mode?: ProxyModeName | "auto";
  /** In place of `mode` and of the defaults. */
  readonly settings?: ProxySettings;
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
  /** Resolves when no rule sends new connections to this address as a ready endpoint any more, or after five seconds. */
  withdrawn(address: string): Promise<void>;
  problems(): readonly Problem[];
  /** Where service ports are reached on a node whose mode serves at places of its own, as userspace does. */
  addresses(node: string): readonly ServedAddress[];
  /**
   * Resolves when every node is served by these settings, with a sentence for each port for health that could not be had.
   * Rejects with the reason when a node cannot be served so; all nodes stay with, or go back to, what they had.
   */
  configure(settings: ProxySettings): Promise<readonly string[]>;
  /** Resolves when the ports for health checks and metrics are open that are asked for now. */
  listening(): Promise<void>;
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
  const { client, serviceCidr, podCidr, log = silentLog, clock = systemClock } = options;
  let settings = options.settings ?? { ...silentSettings, mode: options.mode ?? "auto" };
  const givenNodes = options.nodes.map((node) => withRanges(node, serviceCidr, podCidr));
  const chosen = new Map<string, ChosenMode>();

  /** By node: the mode that the settings ask for. Rejects when one node cannot have it. */
  async function choose({ mode, ipvs }: ProxySettings): Promise<Map<string, ModeDefinition>> {
    const choices = await Promise.all(
      givenNodes.map(async (node) => ({
        node,
        choice: await chooseMode(mode, (definition) => definition.probe({ ...node, ...(ipvs && { ipvs }) })),
      })),
    );
    const found = new Map<string, ModeDefinition>();
    for (const { node, choice } of choices) {
      if (choice.mode === undefined) throw new Error(`node ${node.name}: ${choice.message}`);
      found.set(node.name, choice.mode);
      const { mode, reason, warning } = choice;
      chosen.set(node.name, { name: mode.name, reason, ...(warning === undefined ? {} : { warning }) });
    }
    for (const [node, { name, reason, warning }] of chosen) {
      log.info({ node, mode: name, reason }, "the service proxy has its mode");
      if (warning !== undefined) log.warn({ node, mode: name }, warning);
    }
    return found;
  }

  let definitions = await choose(settings);
  const source = startServiceSource(client, { log, clock });
  // Meanwhile the lists arrive.
  await Promise.all(
    givenNodes.map(async (node) => {
      const definition = definitions.get(node.name);
      if (definition !== undefined) await cleanUpOthers(definition, node, log);
    }),
  );
  const watched = await watchNodes(client, { log, clock, changed: (name) => void rework(name) });
  const events = createEventRecorder(client, "kube-proxy", { clock, log });
  const workOf = (given: ProxyNode): Work => {
    const { zone, podCidrs = [], addresses } = watched.facts(given.name);
    const asked = settings.podCidrs === "node" ? podCidrs : settings.podCidrs;
    const definition = definitions.get(given.name);
    if (definition === undefined) throw new Error(`node ${given.name} has no proxy mode`);
    return {
      definition,
      node: {
        ...given,
        ...(given.addresses.length === 0 && { addresses }),
        ...(zone === undefined ? {} : { zone }),
        ...(asked === undefined ? {} : { podCidrs: asked }),
        ...(settings.ipvs && { ipvs: settings.ipvs }),
      },
      minSyncMs: settings.minSyncMs,
      checkMs: Math.min(settings.syncMs, longestCheckMs),
    };
  };
  const deps = { client, events, watched, source, log, clock, settings: () => settings };
  const running = givenNodes.map((given) => startServedNode(given, workOf(given), deps));
  for (const { face, proxy } of running) {
    // Rules first: they are waited for.
    proxy.waitFor("0").then(
      () => face.bind(settings.faces),
      () => {},
    );
  }

  /** The node's labels or ranges have changed. */
  async function rework(name: string): Promise<void> {
    const item = running.find(({ given }) => given.name === name);
    try {
      await item?.proxy.change(workOf(item.given));
    } catch (error) {
      log.warn({ node: name, error: String(error) }, "the node's proxy could not follow a change of its Node object");
    }
  }

  async function configure(next: ProxySettings): Promise<readonly string[]> {
    const before = { settings, definitions, chosen: new Map(chosen) };
    const goBack = async () => {
      ({ settings, definitions } = before);
      for (const [node, mode] of before.chosen) chosen.set(node, mode);
      await Promise.allSettled(running.map(({ given, proxy }) => proxy.change(workOf(given))));
    };
    try {
      definitions = await choose(next);
      settings = next;
      await Promise.all(running.map(({ given, proxy }) => proxy.change(workOf(given))));
    } catch (error) {
      await goBack();
      throw error;
    }
    const problems = await Promise.all(running.map(({ face }) => face.bind(next.faces)));
    return problems.flat();
  }

  const proxies = running.map(({ proxy }) => proxy);
  const end = async (how: "stop" | "cleanup") => {
    source.stop();
    watched.stop();
    await Promise.all(running.flatMap(({ face, services }) => [face.stop(), services.stop()]));
    await Promise.all(proxies.map((proxy) => proxy[how]()));
    await events.flush();
  };
  const waitFor = async (revision: string) => {
    await Promise.all(proxies.map((proxy) => proxy.waitFor(revision)));
  };
  return {
    modes: chosen,
    source,
    configure,
    async listening() {
      await Promise.all(running.flatMap(({ face, services }) => [face.bind(settings.faces), services.settled()]));
    },
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

/** Without settings nobody asks about health. */
const silentSettings: Omit<ProxySettings, "mode"> = { minSyncMs: 1, syncMs: standardSyncMs, faces: {} };
const longestCheckMs = 10_000;

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
