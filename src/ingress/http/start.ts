import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { CountersSnapshot } from "#dataplane/counters.ts";
import { renderFailure } from "#dataplane/failures.ts";
import type { RunningDataplane } from "#dataplane/running.ts";
import type { RunningIngress } from "../running.ts";
import { renderIngressMetrics } from "./render-metrics.ts";

export interface IngressHttpOptions {
  readonly dataplane: Pick<RunningDataplane, "failures" | "sample"> & {
    counters(): CountersSnapshot | Promise<CountersSnapshot>;
  };
  readonly ingress: Pick<RunningIngress, "routes">;
  readonly version: string;
  readonly controller: string;
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
}

export interface RunningIngressHttp {
  readonly port: number;
  /** From now on `/healthz` says that it is going, so that nobody sends new clients. */
  beginDrain(): void;
  stop(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Probes, scrapers and people are few. */
const mostConnections = 100;
const plain = "text/plain; charset=utf-8";
const json = "application/json";

/**
 * The HTTP face of Ingress: `/healthz` and `/metrics` as ingress-nginx has them on its health port; `/requests`, some of
 * the last requests; `/failures`, the last requests that could not be served, each with the hops it took. Rejects with
 * the system's error when the port cannot be had.
 */
export async function startIngressHttp(options: IngressHttpOptions): Promise<RunningIngressHttp> {
  const { dataplane, ingress, version, controller } = options;
  let isGoing = false;

  async function replyTo(path: string): Promise<Reply> {
    switch (path) {
      case "/healthz":
        return isGoing
          ? { status: 500, type: plain, body: "shutting down\n" }
          : { status: 200, type: plain, body: "ok\n" };
      case "/metrics": {
        const facts = { counters: await dataplane.counters(), routes: ingress.routes(), version, controller };
        return { status: 200, type: "text/plain; version=0.0.4; charset=utf-8", body: renderIngressMetrics(facts) };
      }
      case "/requests":
        return { status: 200, type: json, body: lines(await dataplane.sample()) };
      case "/failures": {
        const failures = await dataplane.failures();
        return { status: 200, type: json, body: lines(failures.map((one) => ({ ...one, hops: renderFailure(one) }))) };
      }
      default:
        return { status: 404, type: plain, body: "there are /healthz, /metrics, /requests and /failures\n" };
    }
  }

  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
    void answer(request, replyTo).then(({ status, type, body }) => {
      response.writeHead(status, {
        "Content-Type": type,
        "Content-Length": Buffer.byteLength(body),
        "X-Content-Type-Options": "nosniff",
      });
      response.end(request.method === "HEAD" ? undefined : body);
    });
    request.resume();
  });
  server.maxConnections = mostConnections;
  await listen(server, options);
  // Health is asked as long as the process runs, and never keeps it running.
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    beginDrain: () => void (isGoing = true),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** One JSON object a line. */
function lines(records: readonly object[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

function listen(server: Server, { address, port }: { address: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, () => {
      server.off("error", reject);
      server.on("error", () => {});
      resolve();
    });
  });
}

async function answer(
  { url = "", method }: IncomingMessage,
  replyTo: (path: string) => Promise<Reply>,
): Promise<Reply> {
  if (method !== "GET" && method !== "HEAD") return { status: 405, type: plain, body: "only GET is answered\n" };
  try {
    return await replyTo(url.split("?")[0] ?? "");
  } catch (error) {
    return { status: 500, type: plain, body: `${error instanceof Error ? error.message : String(error)}\n` };
  }
}
