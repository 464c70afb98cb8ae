import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import type { EndpointSlice } from "#api/discovery/endpointslice/kind.ts";
import type { KubeObject } from "#api/meta/object.ts";
import type { Secret } from "#api/core/secret/kind.ts";
import type { Service } from "#api/core/service/kind.ts";
import type { Ingress, IngressSpec } from "#api/networking/ingress/kind.ts";
import type { Client } from "#client/contract.ts";
import { createFakeClient } from "#client/fake.ts";
import type { TableChange } from "#dataplane/table.ts";
import type { RunningIngress, StartIngressOptions } from "#ingress/running.ts";
import { startIngress } from "#ingress/start.ts";
import { manualClock, type ManualClock } from "../../fakes/clock.ts";

/** A controller over a fake API and a data plane that only writes down what it gets, on a clock that tests move. */
export interface World {
  readonly client: Client;
  readonly clock: ManualClock;
  readonly changes: TableChange[];
  readonly running: RunningIngress;
  /** Moves time, a millisecond at a time, until the condition holds. */
  until(what: string, condition: () => boolean | Promise<boolean>): Promise<void>;
  /** Moves time by this many milliseconds, letting everything happen that is due. */
  pass(ms: number): Promise<void>;
  /** The changes since the last call. */
  taken(): TableChange[];
}

export async function startWorld(
  objects: readonly KubeObject[],
  options: Partial<StartIngressOptions> = {},
): Promise<World> {
  const clock = manualClock();
  const client = options.client ?? createFakeClient(objects, clock);
  const changes: TableChange[] = [];
  let seen = 0;
  const running = await startIngress({
    client,
    clock,
    dataplane: { apply: (change) => void changes.push(change) },
    defaultCertificate: { id: "default", cert: "default cert", key: "default key" },
    ...options,
  });
  const world: World = {
    client,
    clock,
    changes,
    running,
    async until(what, condition) {
      for (let turn = 0; turn < 2_000; turn += 1) {
        if (await condition()) return;
        await world.pass(1);
      }
      assert.fail(`never happened: ${what}`);
    },
    async pass(ms) {
      for (let passed = 0; passed < ms; passed += 1) {
        clock.advance(1);
        await setImmediate();
      }
    },
    taken() {
      const fresh = changes.slice(seen);
      seen = changes.length;
      return fresh;
    },
  };
  return world;
}

/** Starts, waits for the first table, and forgets it. */
export async function startedWorld(
  objects: readonly KubeObject[],
  options: Partial<StartIngressOptions> = {},
): Promise<World> {
  const world = await startWorld(objects, options);
  await world.until("the first table", () => world.running.applied() !== "0");
  world.taken();
  return world;
}

/** Replaces an Ingress as the API server does: it stays the same object, with the same uid and age. */
export async function replaceIngress(world: World, next: Ingress): Promise<void> {
  const { namespace = "", name } = next.metadata;
  const before = (await world.client.get("Ingress", { namespace, name })) ?? assert.fail(`no Ingress ${name}`);
  const { uid = "", creationTimestamp = "" } = before.metadata;
  await world.client.update("Ingress", { ...next, metadata: { ...next.metadata, uid, creationTimestamp } });
}

let created = 0;

export function ingress(name: string, spec: IngressSpec, annotations: Record<string, string> = {}): Ingress {
  const creationTimestamp = new Date(Date.UTC(2026, 0, 1) + (created += 1) * 1000).toISOString();
  const metadata = { namespace: "dev", name, annotations, creationTimestamp };
  return { apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata, spec };
}

/** A rule for all of a host. */
export function ruleFor(host: string, service: string): NonNullable<IngressSpec["rules"]>[number] {
  const backend = { service: { name: service, port: { number: 80 } } };
  return { host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } };
}

export function service(name: string): Service {
  const metadata = { namespace: "dev", name };
  return { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ port: 80 }] } };
}

export function slice(name: string, addresses: readonly string[]): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { namespace: "dev", name: `${name}-1`, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: [{ name: "", port: 8080, protocol: "TCP" }],
  };
}

export function tlsSecret(name: string, pair: { cert: string; key: string }): Secret {
  const data = {
    "tls.crt": Buffer.from(pair.cert).toString("base64"),
    "tls.key": Buffer.from(pair.key).toString("base64"),
  };
  return { apiVersion: "v1", kind: "Secret", metadata: { namespace: "dev", name }, type: "kubernetes.io/tls", data };
}

/** Two hosts with a Service and two pods each. */
export function twoHosts(): KubeObject[] {
  return [
    service("web"),
    service("api"),
    slice("web", ["10.0.0.1", "10.0.0.2"]),
    slice("api", ["10.0.0.3", "10.0.0.4"]),
    ingress("web", { rules: [ruleFor("web.example", "web")] }),
    ingress("api", { rules: [ruleFor("api.example", "api")] }),
  ];
}

/** What a change touches, by name. */
export function touched({ hosts, backends, certificates }: TableChange): Record<string, string[]> {
  const names = (entries: readonly (readonly [string, unknown])[]): string[] => {
    return entries.map(([name, entry]) => (entry === undefined ? `-${name}` : name));
  };
  return { hosts: names(hosts), backends: names(backends), certificates: names(certificates) };
}
