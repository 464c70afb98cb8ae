import { availableParallelism } from "node:os";
import type { Log } from "#base/log.ts";
import { runOn } from "./command.ts";
import type { ConntrackFields } from "./config/kind.ts";
import type { ProxyNode } from "./mode.ts";

/** What upstream takes where only the other of the two is given (pkg/proxy/apis/config/v1alpha1 `defaults.go`). */
const standardPerCore = 32_768;
const standardLeast = 131_072;
/** The table of flows is never asked to be larger. */
const most = 1_048_576;

/** One setting of the kernel below `net.netfilter`, and whether it is only ever raised. */
export interface KernelSetting {
  readonly name: string;
  readonly value: number;
  readonly isRaisedOnly: boolean;
}

/**
 * What a configuration asks of the kernel's memory of flows (upstream cmd/kube-proxy/app `conntrack.go`). What it leaves
 * out, or says to be 0, is left to the kernel. A part of a second is a whole one. Pure.
 */
export function renderFlowSettings(fields: ConntrackFields, cores: number): KernelSetting[] {
  const { maxPerCore, min, tcpBeLiberal = false } = fields;
  const perCore = maxPerCore ?? standardPerCore;
  const isSized = (maxPerCore ?? min ?? 0) > 0 && perCore > 0;
  const size = Math.min(most, Math.max(min ?? standardLeast, perCore * cores));
  const spans = {
    nf_conntrack_tcp_timeout_established: fields.tcpEstablishedTimeout,
    nf_conntrack_tcp_timeout_close_wait: fields.tcpCloseWaitTimeout,
    nf_conntrack_udp_timeout: fields.udpTimeout,
    nf_conntrack_udp_timeout_stream: fields.udpStreamTimeout,
  };
  return [
    ...(isSized ? [{ name: "nf_conntrack_max", value: size, isRaisedOnly: true }] : []),
    ...Object.entries(spans).flatMap(([name, ms = 0]) =>
      ms === 0 ? [] : [{ name, value: Math.ceil(ms / 1000), isRaisedOnly: false }],
    ),
    ...(tcpBeLiberal ? [{ name: "nf_conntrack_tcp_be_liberal", value: 1, isRaisedOnly: false }] : []),
  ];
}

/** Makes them true on a node. What the kernel refuses, as the size of its table to a namespace, is told and left out. */
export async function applyFlowSettings(
  node: Pick<ProxyNode, "name" | "netns" | "run">,
  fields: ConntrackFields,
  log: Log,
  cores: number = availableParallelism(),
): Promise<void> {
  for (const { name, value, isRaisedOnly } of renderFlowSettings(fields, cores)) {
    const setting = `net.netfilter.${name}`;
    if (isRaisedOnly) {
      const now = await runOn(node, ["sysctl", "-n", setting]);
      if (now.code === 0 && Number(now.stdout) >= value) continue;
    }
    const { code, stderr } = await runOn(node, ["sysctl", "-q", "-w", `${setting}=${value}`]);
    if (code === 0) continue;
    log.warn({ node: node.name, setting, value, error: stderr.slice(0, 200) }, "a kernel setting for flows failed");
  }
}
