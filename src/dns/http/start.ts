import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock, type Clock } from "#base/clock.ts";
import type { HttpSettings } from "../config/contract.ts";
import type { ListenAddress, RunningDns } from "../contract.ts";
import { renderDnsMetrics } from "../render-metrics.ts";
import { renderEnabledMetrics } from "./enabled-metrics.ts";
import { startHealthProbe, type HealthProbe } from "./health-probe.ts";
import { renderProcessMetrics } from "./process-metrics.ts";

/** An import would load all that the module re-exports, HTTP/2 and a WebSocket among it: 6 MB for three small pages. */
const { createServer, get } = process.getBuiltinModule("node:http");

export interface DnsHttpOptions {
  readonly dns: Pick<RunningDns, "isReady" | "counters" | "programming" | "settings">;
  readonly settings: HttpSettings;
  readonly version: string;
  readonly clock?: Clock;
  /** Of the configuration file, where there is one. */
  readonly reloads?: { hash(): string; failures(): number };
}

export interface RunningDnsHttp {
  /** Where each answers, with the real ports. */
  readonly addresses: {
    readonly health?: ListenAddress;
    readonly ready?: ListenAddress;
    readonly metrics?: ListenAddress;
  };
  /** From now on `/ready` says that it is going; `/health` says that it still answers. */
  beginLameduck(): void;
  stop(): Promise<void>;
}

type Part = "health" | "ready" | "metrics";

interface Reply {
  readonly status: number;
  readonly body: string;
}

const paths: Readonly<Record<Part, string>> = { health: "/health", ready: "/ready", metrics: "/metrics" };
/** Probes and scrapers are few. */
const mostConnections = 200;
const metricsType = "text/plain; version=0.0.4; charset=utf-8";

/**
 * The HTTP face of cluster DNS, as CoreDNS's plugins health, ready and prometheus answer: `/health` is 200 as long as
 * the process runs; `/ready` is 503 with what is not ready until all objects have been read, then 200 until it goes;
 * `/metrics` has CoreDNS's names. Parts of one address and port share it. Rejects with the system's error when a port
 * cannot be had; nothing is open then.
 */
export async function startDnsHttp(options: DnsHttpOptions): Promise<RunningDnsHttp> {
  const { dns, settings, version, clock = systemClock, reloads } = options;
  const startedAt = clock.now() - process.uptime() * 1000;
  let isGoing = false;
  let probe: HealthProbe | undefined;

  const replies: Readonly<Record<Part, () => Reply | Promise<Reply>>> = {
    health: () => ({ status: 200, body: "OK" }),
    ready() {
      if (isGoing) return { status: 503, body: "shutting down" };
      return dns.isReady() ? { status: 200, body: "OK" } : { status: 503, body: "kubernetes" };
    },
    async metrics() {
      const text = [
        renderDnsMetrics(await dns.counters(), dns.programming),
        renderEnabledMetrics(dns.settings(), settings, reloads !== undefined),
        probe?.render() ?? "",
        gauge(
          "coredns_build_info",
          "The version of this server.",
          `{version="${version}",revision="",goversion=""}`,
          1,
        ),
        reloads === undefined ? "" : renderReloads(reloads),
        renderProcessMetrics(startedAt),
      ];
      return { status: 200, body: text.join("") };
    },
  };

  const opened: { at: ListenAddress; server: Server; parts: Part[] }[] = [];
  for (const part of ["health", "ready", "metrics"] as const) {
    const at = settings[part];
    if (at === undefined) continue;
    // Each port that the system chooses is one of its own.
    const shared = opened.find(
      (other) => at.port !== 0 && other.at.port === at.port && other.at.address === at.address,
    );
    if (shared !== undefined) {
      shared.parts.push(part);
      continue;
    }
    const parts = [part];
    const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
      void reply(request, response, parts, replies);
    });
    server.maxConnections = mostConnections;
    try {
      opened.push({ at: await open(server, at), server, parts });
    } catch (error) {
      await closeAll();
      throw error;
    }
  }
  const addresses: RunningDnsHttp["addresses"] = Object.fromEntries(
    opened.flatMap(({ at, parts }) => parts.map((part) => [part, at])),
  );
  const { health } = addresses;
  if (health !== undefined) probe = startHealthProbe(() => asksHealth(health), clock);

  async function closeAll(): Promise<void> {
    await Promise.all(opened.map(({ server }) => close(server)));
  }

  return {
    addresses,
    beginLameduck: () => void (isGoing = true),
    async stop() {
      probe?.stop();
      await closeAll();
    },
  };
}

async function reply(
  request: IncomingMessage,
  response: ServerResponse,
  parts: readonly Part[],
  replies: Readonly<Record<Part, () => Reply | Promise<Reply>>>,
): Promise<void> {
  const path = (request.url ?? "").split("?")[0];
  const part = parts.find((part) => paths[part] === path);
  const isRead = request.method === "GET" || request.method === "HEAD";
  let answer: Reply = { status: 404, body: "404 page not found\n" };
  if (part !== undefined && !isRead) answer = { status: 405, body: "only GET is answered\n" };
  else if (part !== undefined) {
    try {
      answer = await replies[part]();
    } catch (error) {
      answer = { status: 503, body: `${(error as Error).message}\n` };
    }
  }
  request.resume();
  response.writeHead(answer.status, {
    "Content-Type": part === "metrics" && answer.status === 200 ? metricsType : "text/plain; charset=utf-8",
    "Content-Length": Buffer.byteLength(answer.body),
    "Cache-Control": "no-store",
  });
  response.end(request.method === "HEAD" ? undefined : answer.body);
}

function open(server: Server, { address, port }: ListenAddress): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, () => {
      server.off("error", reject);
      resolve({ address, port: (server.address() as AddressInfo).port });
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Whether the own health port answers 200 within a second. */
function asksHealth({ address, port }: ListenAddress): Promise<boolean> {
  const host = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  return new Promise((resolve) => {
    const request = get({ host, port, path: paths.health, agent: false, timeout: 1_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}

function gauge(name: string, help: string, labels: string, value: number): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name}${labels} ${value}\n`;
}

function renderReloads(reloads: { hash(): string; failures(): number }): string {
  const failed = "coredns_reload_failed_total";
  return [
    `# HELP ${failed} New configurations that could not be used.\n# TYPE ${failed} counter\n${failed} ${reloads.failures()}\n`,
    gauge("coredns_reload_version_info", "The configuration in use.", `{hash="sha512",value="${reloads.hash()}"}`, 1),
  ].join("");
}
