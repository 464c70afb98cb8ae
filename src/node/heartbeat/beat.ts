import { rfc3339Micro, type Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { isApiError } from "#api/meta/status.ts";
import type { Client } from "#client/contract.ts";
import type { TopologyNode } from "../network/plan.ts";
import { compileNodeStatus, type Machine } from "./describe.ts";

export interface HeartbeatOptions {
  readonly client: Client;
  readonly node: TopologyNode;
  readonly machine: Machine;
  readonly kubeletVersion: string;
  readonly zone?: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The Lease is renewed this often; the Node's status, which is larger, every thirtieth time. */
const leaseMs = 10_000;
const leaseSeconds = 40;
const statusEvery = 30;

/** Registers the node and keeps saying that it lives. Resolves when it is registered. */
export async function startHeartbeat(options: HeartbeatOptions): Promise<() => void> {
  const { clock, log, node } = options;
  let stopped = false;
  let cancel = () => {};
  let beats = 0;
  await registerNode(options);

  async function beat(): Promise<void> {
    try {
      await renewLease(options);
      beats += 1;
      if (beats % statusEvery === 0) await writeStatus(options);
    } catch (error) {
      log.warn({ node: node.name, error: String(error) }, "the heartbeat did not reach the API server");
      if (isApiError(error, "NotFound")) await registerNode(options).catch(() => {});
    }
    if (!stopped) cancel = clock.after(leaseMs, () => void beat());
  }

  await beat();
  return () => {
    stopped = true;
    cancel();
  };
}

async function registerNode(options: HeartbeatOptions): Promise<void> {
  const { client, node, machine, zone } = options;
  const labels = {
    "kubernetes.io/hostname": node.name,
    "kubernetes.io/os": "linux",
    "kubernetes.io/arch": machine.architecture,
    "beta.kubernetes.io/os": "linux",
    "beta.kubernetes.io/arch": machine.architecture,
    ...(zone === undefined ? {} : { "topology.kubernetes.io/zone": zone }),
  };
  const podCIDRs = [node.podCidr, ...(node.ipv6 === undefined ? [] : [node.ipv6.podCidr])];
  const spec = { podCIDR: node.podCidr, podCIDRs, providerID: `fairlead://${node.name}` };
  try {
    await client.create("Node", { metadata: { name: node.name, labels }, spec });
  } catch (error) {
    if (!isApiError(error, "AlreadyExists")) throw error;
    await client.patch("Node", { name: node.name }, { metadata: { labels }, spec });
  }
  await writeStatus(options);
}

async function writeStatus({ client, node, machine, kubeletVersion, clock }: HeartbeatOptions): Promise<void> {
  const current = await client.get("Node", { name: node.name });
  const status = compileNodeStatus(node, machine, { now: clock.now(), kubeletVersion, before: current?.status });
  await client.patch("Node", { name: node.name }, { status }, { subresource: "status" });
}

async function renewLease({ client, node, clock }: HeartbeatOptions): Promise<void> {
  const key = { namespace: "kube-node-lease", name: node.name };
  const spec = {
    holderIdentity: node.name,
    leaseDurationSeconds: leaseSeconds,
    renewTime: rfc3339Micro(clock.now()),
  };
  try {
    await client.patch("Lease", key, { spec });
  } catch (error) {
    if (!isApiError(error, "NotFound")) throw error;
    await client.create("Lease", { metadata: key, spec: { ...spec, acquireTime: spec.renewTime } });
  }
}
