import { parseAddress, parseCidr, type Family } from "#base/cidr.ts";
import { systemClock, type Clock } from "#base/clock.ts";
import { silentLog, type Log } from "#base/log.ts";
import type { Client } from "#client/contract.ts";
import { createEventRecorder } from "#client/event-recorder.ts";
import type { Problem } from "#routing/because.ts";
import type { ModeDefinition, ModeProbe } from "./definition.ts";
import { familiesOf, familyNames, nodeOfFamily } from "./families.ts";
import type { ProxyModeName, ProxyNode, ServedAddress } from "./mode.ts";
import { chooseMode, cleanUpOthers } from "./modes/index.ts";
import { startServiceSource, type ServiceSource } from "./source.ts";
import { standardSyncMs } from "./config/kind.ts";
import type { ProxySettings } from "./config/settings.ts";
import { applyFlowSettings } from "./kernel-flows.ts";
import { watchNodes } from "./node-facts.ts";
import { lowestRevision, type NodeProxies, type NodeWork } from "./node-families.ts";
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
  /** Ranges for nodes that name none of their own: one, or one of each family with a comma between. */
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
  proxy(node: string): NodeProxies | undefined;
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
    /** What works in one of the namespaces that were made for this run works in the others. */
    const ofNew = new Map<ModeDefinition, Promise<ModeProbe>>();
    const probe = (definition: ModeDefinition, node: ProxyNode) => {
      const known = node.isNew === true ? ofNew.get(definition) : undefined;
      const asked = known ?? definition.probe(inFirstFamily({ ...node, ...(ipvs && { ipvs }) }));
      if (node.isNew === true) ofNew.set(definition, asked);
      return asked;
    };
    const choices = await Promise.all(
      givenNodes.map(async (node) => ({
        node,
        choice: await chooseMode(mode, (definition) => probe(definition, node)),
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
      if (definition === undefined || node.isNew === true) return;
      // Of a node without addresses it is not known yet.
      const families = node.addresses.length === 0 ? ([4, 6] as const) : familiesOf(node);
      for (const family of families) await cleanUpOthers(definition, nodeOfFamily(node, family), log);
    }),
  );
  const watched = await watchNodes(client, { log, clock, changed: (name) => void rework(name) });
  const events = createEventRecorder(client, "kube-proxy", { clock, log });
  /** By family and node, what the mode answered when it was asked whether it can serve that too. */
  const probes = new Map<string, Promise<boolean>>();

  /** Whether a mode that serves the node's first family serves this one as well; upstream goes on without, too. */
  function serves(definition: ModeDefinition, node: ProxyNode): Promise<boolean> {
    const key = `${definition.name} ${node.family} ${node.name}`;
    const probe = async () => {
      const probed = await definition.probe(node);
      const family = familyNames[node.family ?? 4];
      if (!probed.works) {
        const without = { node: node.name, mode: definition.name, family, error: probed.reason };
        log.warn(without, `the service proxy goes without ${family}`);
      }
      return probed.works;
    };
    const asked = probes.get(key) ?? probe();
    probes.set(key, asked);
    return asked;
  }

  async function workOf(given: ProxyNode): Promise<NodeWork> {
    const definition = definitions.get(given.name);
    if (definition === undefined) throw new Error(`node ${given.name} has no proxy mode`);
    const { zone, podCidrs = [], addresses } = watched.facts(given.name);
    const asked = settings.podCidrs === "node" ? podCidrs : settings.podCidrs;
    let node: ProxyNode = {
      ...given,
      ...(given.addresses.length === 0 && { addresses }),
      ...(zone === undefined ? {} : { zone }),
      ...(asked === undefined ? {} : { podCidrs: asked }),
      ...(settings.ipvs && { ipvs: settings.ipvs }),
      ...(settings.podInterface !== undefined && { podInterface: settings.podInterface }),
      ...(settings.masqueradeAll === true && { masqueradeAll: true }),
    };
    const { nodePortAddresses } = settings;
    if (nodePortAddresses !== undefined) {
      const own = node.addresses.flatMap((text) => hostRange(text) ?? []);
      node = { ...node, nodePortRanges: nodePortAddresses === "primary" ? own : nodePortAddresses };
    }
    const [first = 4, ...others] = familiesOf({ ...node, podCidrs: [...node.podCidrs, ...podCidrs] });
    const nodes = [nodeOfFamily(node, first)];
    for (const family of others) {
      const other = nodeOfFamily(node, family);
      if (await serves(definition, other)) nodes.push(other);
    }
    return {
      definition,
      nodes,
      minSyncMs: settings.minSyncMs,
      checkMs: Math.min(settings.syncMs, longestCheckMs),
    };
  }
  const tune = async ({ conntrack = {} }: ProxySettings) => {
    await Promise.all(givenNodes.map((node) => applyFlowSettings(node, conntrack, log)));
  };
  await tune(settings);
  const deps = { client, events, watched, source, log, clock, settings: () => settings };
  const running = await Promise.all(givenNodes.map(async (given) => startServedNode(given, await workOf(given), deps)));
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
      await item?.change(await workOf(item.given));
    } catch (error) {
      log.warn({ node: name, error: String(error) }, "the node's proxy could not follow a change of its Node object");
    }
  }

  async function configure(next: ProxySettings): Promise<readonly string[]> {
    const before = { settings, definitions, chosen: new Map(chosen) };
    const goBack = async () => {
      ({ settings, definitions } = before);
      for (const [node, mode] of before.chosen) chosen.set(node, mode);
      await Promise.allSettled(running.map(async (item) => item.change(await workOf(item.given))));
    };
    try {
      definitions = await choose(next);
      settings = next;
      await Promise.all(running.map(async (item) => item.change(await workOf(item.given))));
    } catch (error) {
      await goBack();
      throw error;
    }
    await tune(next);
    const problems = await Promise.all(running.map(({ face }) => face.bind(next.faces)));
    return problems.flat();
  }

  const proxies = running.map(({ proxy }) => proxy);
  const end = async (how: "stop" | "cleanup") => {
    source.stop();
    watched.stop();
    await Promise.all(running.map((item) => item.stopFaces()));
    await Promise.all(proxies.map((proxy) => proxy[how]()));
    await events.flush();
  };
  /** What is wrong in a Service may be wrong in each family, and is said once. */
  const tableProblems = () => {
    const families = new Set<Family>(proxies.flatMap((proxy) => [...proxy.families.keys()]));
    const problems = [...families].flatMap((family) => source.table(family).problems);
    return [...new Map(problems.map((problem) => [problem.message, problem])).values()];
  };
  const waitFor = async (revision: string) => {
    await Promise.all(proxies.map((proxy) => proxy.waitFor(revision)));
  };
  return {
    modes: chosen,
    source,
    configure,
    async listening() {
      await Promise.all(running.flatMap((item) => [item.face.bind(settings.faces), item.settled()]));
    },
    proxy: (node) => proxies.find((proxy) => proxy.node === node),
    applied: () => lowestRevision(proxies.map((proxy) => proxy.applied())),
    waitFor,
    withdrawn: (address) => waitWithdrawn({ source, inForce: waitFor, clock }, address),
    problems: () => [...tableProblems(), ...proxies.flatMap((proxy) => proxy.problems())],
    addresses: (node) => proxies.find((proxy) => proxy.node === node)?.addresses() ?? [],
    stop: () => end("stop"),
    cleanup: () => end("cleanup"),
  };
}

/** Without settings nobody asks about health. */
const silentSettings: Omit<ProxySettings, "mode"> = { minSyncMs: 1, syncMs: standardSyncMs, faces: {} };
const longestCheckMs = 10_000;

function withRanges(node: ProxyNode, serviceCidr: string | undefined, podCidr: string | undefined): ProxyNode {
  const ranges = (own: readonly string[], fallback = "") => {
    const valid = own.filter((range) => parseCidr(range) !== undefined);
    return valid.length > 0 ? valid : fallback.split(",").filter((range) => range !== "");
  };
  const { serviceCidrs, podCidrs } = node;
  return { ...node, serviceCidrs: ranges(serviceCidrs, serviceCidr), podCidrs: ranges(podCidrs, podCidr) };
}

/** The range that holds only this address. */
function hostRange(text: string): string | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : `${text}/${address.family === 6 ? 128 : 32}`;
}

function inFirstFamily(node: ProxyNode): ProxyNode {
  const [first = 4] = familiesOf(node);
  return nodeOfFamily(node, first);
}

export { startProxy, type ProxyOptions, type RunningProxy } from "./loop.ts";
export { startServiceSource, type ServiceSource } from "./source.ts";
