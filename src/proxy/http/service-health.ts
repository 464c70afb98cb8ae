import type { Server } from "node:http";
import { createBackoff } from "#base/backoff.ts";
import type { Family } from "#base/cidr.ts";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import type { ServicePortEntry } from "#routing/l4/table.ts";
import type { ServiceSource } from "../source.ts";
import { replyServiceHealth } from "./health.ts";
import { openPorts } from "./open.ts";
import { closeServer, serveOn } from "./serve.ts";

export interface ServiceHealthOptions {
  readonly node: string;
  readonly netns?: string;
  /** Whose endpoints count, and whose addresses are listened on. */
  readonly family: Family;
  readonly source: ServiceSource;
  /** Whether the node's proxy keeps up. */
  readonly isHealthy: () => boolean;
  /** A port could not be opened; it is tried again. */
  readonly failed: (service: { namespace: string; name: string }, port: number, problem: string) => void;
  readonly log: Log;
  readonly clock: Clock;
}

export interface ServiceHealth {
  /** Resolves when what the table asked for has been opened, or refused. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

interface Checked {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  /** By service port. */
  readonly entries: ReadonlyMap<string, ServicePortEntry>;
}

/** All addresses of the node. */
const everywhere = { 4: "0.0.0.0", 6: "::" } as const satisfies Record<Family, string>;

/** A port that another program holds is rarely free soon. */
const retry = { base: 10_000, limit: 600_000 };

/** Listens on the health check node port of every Service that has one, on all addresses of the node. */
export function startServiceHealth(options: ServiceHealthOptions): ServiceHealth {
  const { node, netns, family, source, isHealthy, failed, log, clock } = options;
  const checked = new Map<string, Checked>();
  const open = new Map<string, { readonly port: number; readonly server: Server }>();
  let running: Promise<void> | undefined;
  let isAsked = false;
  let stopped = false;
  const backoff = createBackoff(retry);
  let cancelRetry = () => {};

  function put(entry: ServicePortEntry, after: ServicePortEntry | undefined): void {
    const key = `${entry.namespace}/${entry.name}`;
    const entries = new Map(checked.get(key)?.entries);
    if (after === undefined || after.healthCheckNodePort === 0) entries.delete(entry.id);
    else entries.set(entry.id, after);
    const [first] = entries.values();
    if (first === undefined) checked.delete(key);
    else checked.set(key, { namespace: first.namespace, name: first.name, port: first.healthCheckNodePort, entries });
  }

  function ask(): void {
    isAsked = true;
    running ??= settleAll().finally(() => {
      running = undefined;
      if (isAsked && !stopped) ask();
    });
  }

  async function settleAll(): Promise<void> {
    while (isAsked && !stopped) {
      isAsked = false;
      cancelRetry();
      await settle();
    }
  }

  async function settle(): Promise<void> {
    for (const [key, { port, server }] of open) {
      if (checked.get(key)?.port === port) continue;
      open.delete(key);
      await closeServer(server);
    }
    let hasFailed = false;
    const missing = [...checked].filter(([key]) => !open.has(key));
    const opened = await openPorts(
      netns,
      missing.map(([, { port }]) => ({ address: everywhere[family], port, ipv6Only: true })),
    );
    for (const [index, [key, { namespace, name, port }]] of missing.entries()) {
      const result = opened[index];
      if (result === undefined) continue;
      if ("socket" in result) {
        open.set(key, { port, server: serveOn(result, () => reply(key)) });
        continue;
      }
      const { problem } = result;
      log.warn({ node, service: key, port, problem }, "a health check node port could not be opened, trying again");
      failed({ namespace, name }, port, problem);
      hasFailed = true;
    }
    if (hasFailed) cancelRetry = clock.after(backoff.next(), ask);
    else backoff.reset();
  }

  function reply(key: string) {
    const service = checked.get(key);
    const { namespace = "", name = "" } = service ?? {};
    return replyServiceHealth({ namespace, name }, localEndpoints(service, node), isHealthy());
  }

  const unsubscribe = source.subscribe(({ added, changed, removed }) => {
    const before = checked.size;
    let hasChanged = false;
    const touch = (entry: ServicePortEntry, after?: ServicePortEntry) => {
      if (entry.healthCheckNodePort === 0 && (after?.healthCheckNodePort ?? 0) === 0) return;
      put(entry, after);
      hasChanged ||= entry.healthCheckNodePort !== after?.healthCheckNodePort;
    };
    for (const entry of removed) touch(entry);
    for (const { before, after } of changed) touch(before, after);
    for (const entry of added) touch(entry, entry);
    if (hasChanged || checked.size !== before) ask();
  }, family);

  return {
    settled: async () => running,
    async stop() {
      stopped = true;
      unsubscribe();
      cancelRetry();
      await running;
      await Promise.all([...open.values()].map(({ server }) => closeServer(server)));
      open.clear();
    },
  };
}

/** Addresses of the node's own endpoints that are ready; each counts once, however many ports it has. */
function localEndpoints(service: Checked | undefined, node: string): number {
  const found = new Set<string>();
  for (const { endpoints } of service?.entries.values() ?? []) {
    for (const { address, ready, nodeName } of endpoints) if (ready && nodeName === node) found.add(address);
  }
  return found.size;
}
