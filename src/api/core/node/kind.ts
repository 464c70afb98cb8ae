import type { Condition } from "../../meta/condition.ts";
import type { ObjectMeta } from "../../meta/object.ts";

export interface Node {
  apiVersion: "v1";
  kind: "Node";
  metadata: ObjectMeta;
  spec?: NodeSpec;
  status?: NodeStatus;
}

export interface NodeSpec {
  podCIDR?: string;
  podCIDRs?: string[];
  providerID?: string;
  unschedulable?: boolean;
  taints?: Taint[];
}

export interface Taint {
  key: string;
  value?: string;
  effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
  timeAdded?: string;
}

export interface NodeStatus {
  addresses?: { type: "InternalIP" | "ExternalIP" | "Hostname" | "InternalDNS" | "ExternalDNS"; address: string }[];
  capacity?: Record<string, string>;
  allocatable?: Record<string, string>;
  conditions?: Condition[];
  nodeInfo?: {
    machineID: string;
    systemUUID: string;
    bootID: string;
    kernelVersion: string;
    osImage: string;
    containerRuntimeVersion: string;
    kubeletVersion: string;
    kubeProxyVersion: string;
    operatingSystem: string;
    architecture: string;
  };
  daemonEndpoints?: { kubeletEndpoint?: { Port: number } };
}

/** Names a node's zone (core/v1 `LabelTopologyZone`). */
export const zoneLabel = "topology.kubernetes.io/zone";
