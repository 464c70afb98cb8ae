import { execFile } from "node:child_process";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { systemClock } from "#base/clock.ts";
import { silentLog } from "#base/log.ts";
import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import type { KubeObject } from "#api/meta/object.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { Ingress } from "#api/networking/ingress/kind.ts";
import type { Client } from "#client/contract.ts";
import { createFakeClient } from "#client/fake.ts";
import { startDataplane, type DataplaneOptions, type RunningDataplane } from "#dataplane/workers.ts";
import type { IngressOptions } from "#ingress/options.ts";
import type { RunningIngress } from "#ingress/running.ts";
import { startIngress } from "#ingress/start.ts";

const run = promisify(execFile);

/** The way of a request as users have it: objects, controller, worker threads; only the API is a fake. */
export interface Entry {
  readonly plane: RunningDataplane;
  readonly ingress: RunningIngress;
  readonly client: Client;
  /** Plain HTTP and TLS. */
  readonly ports: readonly [number, number];
  /** Status, head and body of what curl gets for a path of `web.test`. */
  curl(path: string, ...args: string[]): Promise<{ status: number; head: string; body: string }>;
}

export interface EntrySketch {
  readonly annotations: Record<string, string>;
  readonly objects?: readonly KubeObject[];
  /** A `tls` section, with this Secret or without any. */
  readonly tls?: boolean | string;
  readonly dataplane?: Partial<DataplaneOptions>;
  readonly ingress?: Partial<IngressOptions>;
}

/** Serves `web.test` with these annotations (of ingress-nginx, without prefix) by the endpoint at `ports`. */
export async function startEntry(t: TestContext, endpoints: readonly number[], sketch: EntrySketch): Promise<Entry> {
  const { annotations, objects = [], tls = false } = sketch;
  const plane = await startDataplane({
    listeners: [false, true].map((tls) => ({ host: "127.0.0.1", port: 0, tls })),
    workers: 2,
    log: silentLog,
    clock: systemClock,
    ...sketch.dataplane,
  });
  t.after(() => plane.stop({ drainMs: 0 }));
  const [plain = 0, secure = 0] = plane.addresses.map(({ port }) => port);
  const client = createFakeClient([...serviceOf("web", endpoints), ingressOf(annotations, tls), ...objects]);
  const ingress = await startIngress({ client, dataplane: plane, clock: systemClock, options: sketch.ingress ?? {} });
  t.after(() => ingress.stop());
  await ingress.ready;
  return {
    plane,
    ingress,
    client,
    ports: [plain, secure],
    async curl(path, ...args) {
      const url = path.startsWith("https:")
        ? `https://web.test:${secure}${path.slice(6)}`
        : `http://web.test:${plain}${path}`;
      const names = [plain, secure].flatMap((port) => ["--resolve", `web.test:${port}:127.0.0.1`]);
      const { stdout } = await run("curl", ["-sSik", "--max-time", "20", ...names, ...args, url]);
      const at = stdout.indexOf("\r\n\r\n");
      return { status: Number(stdout.split(" ")[1]), head: stdout.slice(0, at), body: stdout.slice(at + 4) };
    },
  };
}

/** A Service of the namespace dev with an endpoint at each of these ports of this machine. */
export function serviceOf(name: string, ports: readonly number[]): [Service, ...EndpointSlice[]] {
  const metadata = { namespace: "dev", name };
  const slices = ports.map((port): EndpointSlice => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { namespace: "dev", name: `${name}-${port}`, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
    ports: [{ name: "", port, protocol: "TCP" }],
  }));
  return [{ apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ port: 80 }] } }, ...slices];
}

function ingressOf(annotations: Record<string, string>, tls: boolean | string): Ingress {
  const named = Object.entries(annotations).map(([name, value]) => [`nginx.ingress.kubernetes.io/${name}`, value]);
  const backend = { service: { name: "web", port: { number: 80 } } };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { namespace: "dev", name: "web", annotations: Object.fromEntries(named) as Record<string, string> },
    spec: {
      ...(tls === false
        ? {}
        : { tls: [{ hosts: ["web.test"], ...(typeof tls === "string" ? { secretName: tls } : {}) }] }),
      rules: [{ host: "web.test", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
    },
  };
}

/** An HTTP server on a free port, ended with the test. */
export async function startEndpoint(t: TestContext, listener: RequestListener, address = "127.0.0.1"): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** An endpoint that answers with the request line and fields it got. */
export function startEcho(t: TestContext, name = "web"): Promise<number> {
  return startEndpoint(t, (request, response) => {
    const fields = Object.entries(request.headers).map(([field, value]) => `${field}: ${String(value)}`);
    response.end([`${name} ${request.method} ${request.url}`, ...fields, ""].join("\n"));
  });
}
