import { fork, type ChildProcess } from "node:child_process";
import type { BackendEntry, RouteEntry, TableChange } from "#dataplane/table.ts";
import type { PlaneArguments, PlaneFacts } from "./plane-process.ts";

/** A process that is told by messages and answers each. */
class Told {
  readonly first: Promise<unknown>;
  private readonly child: ChildProcess;
  private readonly waiters = new Map<number, (result: unknown) => void>();
  private next = 1;
  private readonly ended: Promise<void>;

  constructor(script: string, args: readonly string[] = []) {
    this.child = fork(new URL(script, import.meta.url), [...args], { execArgv: [], serialization: "advanced" });
    const { child, waiters } = this;
    this.first = new Promise((resolve, reject) => {
      waiters.set(0, resolve);
      child.once("exit", (code) => reject(new Error(`${script} ended with ${code}`)));
    });
    this.ended = new Promise((resolve) => child.once("exit", () => resolve()));
    child.on("message", ({ id, result }: { id: number; result: unknown }) => {
      waiters.get(id)?.(result);
      waiters.delete(id);
    });
  }

  ask(message: Record<string, unknown>): Promise<unknown> {
    const id = this.next++;
    return new Promise((resolve) => {
      this.waiters.set(id, resolve);
      this.child.send({ ...message, id });
    });
  }

  async stop(): Promise<void> {
    this.first.catch(() => {});
    this.child.disconnect();
    await this.ended;
  }
}

export interface PlaneProcess {
  apply(change: TableChange): Promise<void>;
  facts(): Promise<PlaneFacts>;
  /** Lets what is under way end, for a minute at most. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}

export async function startPlaneProcess(options: PlaneArguments = {}): Promise<PlaneProcess> {
  const told = new Told("./plane-process.ts", [JSON.stringify(options)]);
  await told.first;
  return {
    apply: async (change) => void (await told.ask({ type: "apply", change })),
    facts: async () => (await told.ask({ type: "facts" })) as PlaneFacts,
    drain: async () => void (await told.ask({ type: "stop" })),
    stop: () => told.stop(),
  };
}

export interface EndpointProcess {
  readonly name: string;
  /** HTTP/1.1 and HTTP/2. */
  readonly ports: readonly [number, number];
  stop(): Promise<void>;
}

export async function startEndpointProcess(name: string): Promise<EndpointProcess> {
  const told = new Told("./endpoint-process.ts", [name]);
  const ports = (await told.first) as [number, number];
  return { name, ports, stop: () => told.stop() };
}

const hour = 3_600_000;

/** A route to a backend that waits as long as it takes. */
export function patientRoute(id: string, backend: string): RouteEntry {
  return {
    id,
    match: { type: "prefix", path: "/" },
    filters: [],
    target: { type: "backend", backend },
    timeouts: { connectMs: hour, readMs: hour, sendMs: hour },
    maxBodyBytes: 0,
  };
}

export function backendOf(
  id: string,
  endpoints: readonly EndpointProcess[],
  protocol: BackendEntry["protocol"] = "http",
): readonly [string, BackendEntry] {
  const port = ({ ports }: EndpointProcess) => ports[protocol === "h2" ? 1 : 0];
  const list = endpoints.map((endpoint) => ({ address: "127.0.0.1", port: port(endpoint) }));
  return [id, { id, protocol, balance: "round-robin", endpoints: list }];
}
