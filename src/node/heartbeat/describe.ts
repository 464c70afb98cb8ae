import { readFileSync } from "node:fs";
import os from "node:os";
import { rfc3339 } from "#base/clock.ts";
import { withCondition, type Condition } from "#api/meta/condition.ts";
import type { NodeStatus } from "#api/core/node/kind.ts";
import { allAddresses } from "../network/ipv6.ts";
import type { TopologyNode } from "../network/plan.ts";

/** What this machine is and has, read once. */
export interface Machine {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly architecture: string;
  readonly kernel: string;
  readonly osImage: string;
  readonly machineId: string;
  readonly bootId: string;
}

export function readMachine(diskBytes: number): Machine {
  const osRelease = read("/etc/os-release");
  return {
    cpus: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    diskBytes,
    architecture: os.arch() === "x64" ? "amd64" : os.arch(),
    kernel: os.release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?/m.exec(osRelease)?.[1] ?? os.type(),
    machineId: read("/etc/machine-id").trim(),
    bootId: read("/proc/sys/kernel/random/boot_id").trim(),
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

export const podLimit = 250;

/** A node's status as the kubelet writes it. Every node of the machine shows the whole machine. Pure. */
export function compileNodeStatus(
  node: TopologyNode,
  machine: Machine,
  { now, kubeletVersion, before }: { now: number; kubeletVersion: string; before: NodeStatus | undefined },
): NodeStatus {
  const time = rfc3339(now);
  const resources = {
    cpu: String(machine.cpus),
    memory: `${Math.floor(machine.memoryBytes / 1024)}Ki`,
    "ephemeral-storage": `${Math.floor(machine.diskBytes / 1024)}Ki`,
    pods: String(podLimit),
  };
  const facts: [type: string, status: Condition["status"], reason: string, message: string][] = [
    ["MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
    ["DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
    ["PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"],
    ["Ready", "True", "KubeletReady", "kubelet is posting ready status"],
  ];
  let conditions: Condition[] = [...(before?.conditions ?? [])];
  for (const [type, status, reason, message] of facts) {
    conditions = withCondition(conditions, { type, status, reason, message, lastHeartbeatTime: time }, time);
  }
  return {
    ...before,
    addresses: [
      ...allAddresses(node, node.address).map((address) => ({ type: "InternalIP" as const, address })),
      { type: "Hostname", address: node.name },
    ],
    capacity: resources,
    allocatable: resources,
    conditions,
    nodeInfo: {
      machineID: machine.machineId,
      systemUUID: machine.machineId,
      bootID: machine.bootId,
      kernelVersion: machine.kernel,
      osImage: machine.osImage,
      containerRuntimeVersion: "fairlead://0.1.0",
      kubeletVersion,
      kubeProxyVersion: kubeletVersion,
      operatingSystem: "linux",
      architecture: machine.architecture,
    },
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
  };
}
