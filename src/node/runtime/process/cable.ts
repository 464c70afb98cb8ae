import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { addressAt, cidrSize, formatAddress, parseCidr } from "#base/cidr.ts";
import { allAddresses } from "../../network/ipv6.ts";
import { bridgeDevice, macOf, netnsFolder, netnsPrefix, type TopologyNode } from "../../network/plan.ts";
import { run } from "../../run.ts";

/** The names of a pod's network: its namespace, and the node's end of its cable, never used twice. */
export interface CableNames {
  readonly netnsName: string;
  readonly netns: string;
  readonly device: string;
}

export function podNetnsPrefix(clusterId: string): string {
  return `${netnsPrefix(clusterId)}p-`;
}

export function cableNames(clusterId: string, sandboxId: string): CableNames {
  const netnsName = podNetnsPrefix(clusterId) + sandboxId;
  const device = `fl${createHash("sha256").update(sandboxId).digest("hex").slice(0, 11)}`;
  return { netnsName, netns: `${netnsFolder}/${netnsName}`, device };
}

/** A namespace with one cable to the node's pod bridge. Rejects, and leaves nothing, when it cannot be made. */
export async function plugIn(node: TopologyNode, names: CableNames, address: string): Promise<void> {
  const { netnsName, device } = names;
  const mtu = 1500;
  const [, ipv6] = allAddresses(node, address);
  const prefix6 = node.ipv6?.podCidr.split("/")[1];
  const outside = [
    `netns add ${netnsName}`,
    `link add ${device} mtu ${mtu} type veth peer name eth0 mtu ${mtu} address ${macOf(address)} netns ${netnsName}`,
    `link set ${device} master ${bridgeDevice} up`,
    // A pod that reaches itself through a Service gets its own packets back on its own port.
    `link set ${device} type bridge_slave hairpin on`,
  ];
  const inside = [
    "link set lo up",
    `addr add ${address}/24 dev eth0`,
    "link set eth0 up",
    `route add default via ${node.gateway}`,
    ...(ipv6 === undefined || node.ipv6 === undefined
      ? []
      : [`addr add ${ipv6}/${prefix6} dev eth0 nodad`, `route add default via ${node.ipv6.gateway}`]),
  ];
  const first = await run("nsenter", [`--net=${node.netns}`, "ip", "-batch", "-"], { input: lines(outside) });
  const [program = "", ...args] = ipv6 === undefined ? ["ip", "-n", netnsName, "-batch", "-"] : withoutRouters(names);
  const second = first.code === 0 ? await run(program, args, { input: lines(inside) }) : first;
  if (second.code !== 0) {
    await unplug(names);
    throw new Error(`the pod's network on ${node.name} could not be made: ${second.stderr.trim()}`);
  }
}

/** Runs `ip -batch` in a pod that listens to no router: any other pod on the bridge could say that it is one. */
function withoutRouters({ netns }: CableNames): string[] {
  return ["nsenter", `--net=${netns}`, "sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_ra; exec ip -batch -"];
}

/** The namespace goes, and its cable with it; deleting the cable first would take fifteen times as long. */
export async function unplug({ netnsName, netns }: Pick<CableNames, "netnsName" | "netns">): Promise<void> {
  if (existsSync(netns)) await run("ip", ["netns", "del", netnsName]);
}

function lines(commands: readonly string[]): string {
  return `${commands.join("\n")}\n`;
}

/** The next free address of the node's pod range after `last`, from .2 on; `undefined` when all are taken. */
export function nextAddress(podCidr: string, taken: ReadonlySet<string>, last: string | undefined): string | undefined {
  const cidr = parseCidr(podCidr);
  if (cidr === undefined) throw new RangeError(`pod CIDR ${podCidr}: not a range`);
  const usable = Number(cidrSize(cidr)) - 3;
  const all = Array.from({ length: usable }, (_, index) => formatAddress(addressAt(cidr, index + 2)));
  const start = last === undefined ? 0 : all.indexOf(last) + 1;
  return [...all.slice(start), ...all.slice(0, start)].find((address) => !taken.has(address));
}
