import { addressAt, cidrsOverlap, formatAddress, formatCidr, parseCidr, type Cidr } from "#base/cidr.ts";
import {
  compileNodeIPv6,
  defaultNodeSubnet6,
  splitRanges,
  uplinkAddress6,
  type NodeIPv6,
  type RangesIPv6,
} from "./ipv6.ts";

/** What the network of one cluster looks like; everything has the product's default but the id. */
export interface TopologyOptions {
  /** 1 to 6 of `a-z0-9`; every namespace and link carries it, so that two clusters can stand side by side. */
  clusterId: string;
  /** How many nodes; 3 by default, 16 at most. */
  nodeCount?: number;
  /** One range of IPv4, or one of each family with a comma between; so are the next two. Those of IPv6 go together. */
  podCidr?: string;
  serviceCidr?: string;
  nodeSubnet?: string;
  /**
   * Outside addresses of Services: the machine and the nodes look for them at the switch, where the node that has one
   * answers. None by default.
   */
  loadBalancerCidrs?: readonly string[];
}

export interface TopologyNode {
  readonly name: string;
  /** The node's address in the node subnet. */
  readonly address: string;
  readonly podCidr: string;
  /** The pods' default gateway: the address of the node's pod bridge. */
  readonly gateway: string;
  /** Path of the node's network namespace. */
  readonly netns: string;
  /** In a cluster of both families. */
  readonly ipv6?: NodeIPv6;
}

/** What to do inside one namespace: `ip -batch` lines, then `/proc/sys/net` settings. */
export interface NamespaceScript {
  readonly netns: string;
  readonly lines: readonly string[];
  /** Lines for `ip -6 -batch`: rules do not say their family by their addresses. */
  readonly lines6: readonly string[];
  readonly sysctls: readonly (readonly [path: string, value: string])[];
}

export interface TopologyPlan {
  readonly clusterId: string;
  readonly nodes: readonly TopologyNode[];
  readonly uplink: { readonly address: string; readonly device: string };
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly nodeSubnet: string;
  /** In a cluster of both families. */
  readonly ipv6?: RangesIPv6;
  /** Ranges of outside addresses beyond the node subnet, where every neighbour looks for an address anyway. */
  readonly outside: readonly string[];
  /** Namespace names, the switch first. */
  readonly namespaces: readonly string[];
  /** Lines for the machine's own namespace. */
  readonly host: readonly string[];
  /** The same for `ip -6 -batch`. */
  readonly host6: readonly string[];
  readonly switch: NamespaceScript;
  readonly nodeScripts: readonly NamespaceScript[];
}

/** Marks every route Fairlead makes in the machine's own namespace (`/etc/iproute2/rt_protos` leaves it free). */
export const routeProtocol = 184;
/** Behind every real route, so that it only catches what nothing else does. */
const lastMetric = 4_278_198_272;
const mtu = 1500;

/** Where `ip netns` keeps namespaces. */
export const netnsFolder = "/run/netns";
export const bridgeDevice = "cni0";

export function netnsPrefix(clusterId: string): string {
  return `fl-${clusterId}-`;
}

export function uplinkDevice(clusterId: string): string {
  return `fl${clusterId}up`;
}

/**
 * The rule that keeps packets of the nodes from being forwarded by this machine, even when it forwards for others. Local
 * addresses are looked up before it (table `local` has preference 0).
 */
export function uplinkWall(device: string, verb: "add" | "del"): string {
  return `rule ${verb} iif ${device} unreachable pref 90`;
}

/** A number that no other interface of the machine is likely to have. */
function uplinkIndex(clusterId: string): number {
  return 20_000 + (Number.parseInt(clusterId, 36) % 100_000);
}

/** Nodes are counted from 1. */
export function nodeName(number: number): string {
  return `node-${number}`;
}

/** Throws `RangeError` for an id or range that cannot be used. Pure. */
export function compileTopology(options: TopologyOptions): TopologyPlan {
  const { clusterId, nodeCount = 3 } = options;
  if (!/^[a-z0-9]{1,6}$/.test(clusterId)) throw new RangeError(`cluster id ${clusterId}: 1 to 6 of a-z and 0-9`);
  if (nodeCount < 1 || nodeCount > 16) throw new RangeError(`${nodeCount} nodes: must be 1 to 16`);
  const ranges = {
    "pod CIDR": range("pod CIDR", splitRanges(options.podCidr ?? "10.244.0.0/16").ipv4, 20),
    "service CIDR": range("service CIDR", splitRanges(options.serviceCidr ?? "10.96.0.0/12").ipv4, 30),
    "node subnet": range("node subnet", splitRanges(options.nodeSubnet ?? "172.30.0.0/24").ipv4, 24),
  } as Record<"pod CIDR" | "service CIDR" | "node subnet", Cidr>;
  refuseOverlap(ranges);
  const pods = ranges["pod CIDR"];
  const subnet = ranges["node subnet"];
  const [podCidr, serviceCidr, nodeSubnet] = Object.values(ranges).map((cidr) => formatCidr(cidr)) as [
    string,
    string,
    string,
  ];
  const ipv6 = rangesIPv6(options);
  const prefix = netnsPrefix(clusterId);
  const nodes = Array.from({ length: nodeCount }, (_, index): TopologyNode => {
    const number = index + 1;
    const podRange: Cidr = { family: 4, base: pods.base + BigInt(number) * 256n, prefix: 24 };
    return {
      name: nodeName(number),
      address: formatAddress(addressAt(subnet, 10 + number)),
      podCidr: formatCidr(podRange),
      gateway: formatAddress(addressAt(podRange, 1)),
      netns: `${netnsFolder}/${prefix}node-${number}`,
      ...(ipv6 === undefined ? {} : { ipv6: compileNodeIPv6(ipv6, number, nodeCount) }),
    };
  });
  const uplink = { address: formatAddress(addressAt(subnet, 254)), device: uplinkDevice(clusterId) };
  const switchName = `${prefix}sw`;
  const namespaces = [switchName, ...nodes.map(({ name }) => prefix + name)];
  const ranges6: Partial<typeof ranges> =
    ipv6 === undefined ? {} : { "pod CIDR": ipv6.pod, "service CIDR": ipv6.service, "node subnet": ipv6.node };
  const outside = (options.loadBalancerCidrs ?? []).flatMap((text) => {
    const cidr = parseCidr(text);
    return cidr === undefined ? [] : outsideRange(cidr, cidr.family === 4 ? ranges : ranges6);
  });
  const texts6 = Object.values(ranges6).map((cidr) => formatCidr(cidr));
  const walls = [serviceCidr, ...outside, podCidr, nodeSubnet, ...texts6].map(
    (cidr) => `route replace unreachable ${cidr} metric ${lastMetric} proto ${routeProtocol}`,
  );
  return {
    clusterId,
    nodes,
    uplink,
    podCidr,
    serviceCidr,
    nodeSubnet,
    ...(ipv6 === undefined ? {} : { ipv6 }),
    outside,
    namespaces,
    host: [
      ...walls,
      ...namespaces.map((name) => `netns add ${name}`),
      // The two ends get different interface numbers: only then does the kernel see to the link at once, and not up to a
      // second later (`linkwatch_urgent_event`).
      `link add ${uplink.device} index ${uplinkIndex(clusterId)} address ${macOf(uplink.address)} mtu ${mtu} ` +
        `type veth peer name uplink index 4093 mtu ${mtu} netns ${switchName}`,
      `addr replace ${uplink.address}/${subnet.prefix} dev ${uplink.device}`,
      `link set ${uplink.device} up`,
      ...nodes.map(
        ({ podCidr, address }) => `route replace ${podCidr} via ${address} dev ${uplink.device} proto ${routeProtocol}`,
      ),
      `route replace ${serviceCidr} via ${nodes[0]?.address} dev ${uplink.device} proto ${routeProtocol}`,
      ...outside.map((cidr) => `route replace ${cidr} dev ${uplink.device} proto ${routeProtocol}`),
      // What nodes send may end at an address of this machine, never pass through it.
      uplinkWall(uplink.device, "add"),
      ...(ipv6 === undefined ? [] : hostIPv6(ipv6, nodes, uplink.device)),
    ],
    host6: ipv6 === undefined ? [] : [uplinkWall(uplink.device, "add")],
    switch: {
      netns: `${netnsFolder}/${switchName}`,
      lines: [
        "link set lo up",
        "link add lan type bridge",
        "link set lan up",
        "link set uplink master lan up",
        ...nodes.flatMap(({ name, address }, index) => [
          `link add n${index + 1} mtu ${mtu} type veth peer name eth0 address ${macOf(address)} mtu ${mtu} netns ${prefix}${name}`,
          `link set n${index + 1} master lan up`,
        ]),
      ],
      lines6: [],
      // Frames between nodes are no business of the switch's packet filter.
      sysctls: bridgeCalls("0"),
    },
    nodeScripts: nodes.map((node) =>
      compileNode(node, { nodes, walls, serviceCidr, outside, prefix: subnet.prefix, uplink: uplink.address, ipv6 }),
    ),
  };
}

/** Addresses wait for nobody to object: in these links there is nobody else. */
function hostIPv6(ranges: RangesIPv6, nodes: readonly TopologyNode[], device: string): string[] {
  const routes = nodes.flatMap(({ ipv6 }) => (ipv6 === undefined ? [] : [[ipv6.podCidr, ipv6.address] as const]));
  const entries = [[formatCidr(ranges.service), nodes[0]?.ipv6?.address ?? ""] as const];
  return [
    `addr replace ${uplinkAddress6(ranges)}/${ranges.node.prefix} dev ${device} nodad`,
    ...[...routes, ...entries].map(
      ([range, via]) => `route replace ${range} via ${via} dev ${device} proto ${routeProtocol}`,
    ),
  ];
}

function compileNode(
  node: TopologyNode,
  {
    nodes,
    walls,
    serviceCidr,
    outside,
    prefix,
    uplink,
    ipv6,
  }: {
    nodes: TopologyNode[];
    walls: string[];
    serviceCidr: string;
    outside: readonly string[];
    prefix: number;
    uplink: string;
    ipv6: RangesIPv6 | undefined;
  },
): NamespaceScript {
  const peers = nodes.filter((peer) => peer !== node);
  return {
    netns: node.netns,
    lines: [
      "link set lo up",
      ...walls,
      `link add ${bridgeDevice} mtu ${mtu} type bridge`,
      // A bridge without a port has no carrier, and after its first port it takes up to a second to forward: a cable with
      // both ends here keeps it going, and a fixed address keeps neighbours' memories true.
      `link set ${bridgeDevice} address ${macOf(node.gateway)} up`,
      "link add keep0 type veth peer name keep1",
      `link set keep0 master ${bridgeDevice} up`,
      "link set keep1 up",
      `addr replace ${node.gateway}/24 dev ${bridgeDevice}`,
      `addr replace ${node.address}/${prefix} dev eth0`,
      "link set eth0 up",
      ...peers.map((peer) => `route replace ${peer.podCidr} via ${peer.address} dev eth0`),
      `route replace default via ${uplink} dev eth0`,
      // A process of the node itself is routed before its destination is translated, so it needs a way out that is
      // not a wall; what is still for a service address when it is to be forwarded has no service, and fails at once.
      `route replace ${serviceCidr} dev eth0 src ${node.address}`,
      `rule add iif eth0 to ${serviceCidr} unreachable pref 1000`,
      `rule add iif ${bridgeDevice} to ${serviceCidr} unreachable pref 1001`,
      ...(ipv6 === undefined ? [] : nodeIPv6(node, peers, ipv6)),
      // The node that has an outside address answers for it, also on ports that no Service has.
      ...outside.flatMap((cidr) => {
        const source = cidr.includes(":") ? node.ipv6?.address : node.address;
        return source === undefined ? [] : [`route replace ${cidr} dev eth0 src ${source}`];
      }),
    ],
    lines6:
      ipv6 === undefined
        ? []
        : ["eth0", bridgeDevice].map(
            (from, index) => `rule add iif ${from} to ${formatCidr(ipv6.service)} unreachable pref ${1000 + index}`,
          ),
    sysctls: [
      ...(ipv6 === undefined ? [] : sysctls6),
      ["ipv4/ip_forward", "1"],
      ["ipv4/conf/all/route_localnet", "1"],
      ["ipv4/conf/all/rp_filter", "0"],
      ["ipv4/conf/eth0/rp_filter", "0"],
      ["ipv4/conf/all/send_redirects", "0"],
      ["ipv4/conf/eth0/send_redirects", "0"],
      [`ipv4/conf/${bridgeDevice}/send_redirects`, "0"],
      // Answers between two pods of this node must pass the translation that their questions passed.
      ...bridgeCalls("1"),
    ],
  };
}

/**
 * A router asks for neighbours by its links' own addresses: while those wait a second for somebody to object, as they do by
 * themselves, it forwards nothing.
 */
const sysctls6 = [
  ["ipv6/conf/all/forwarding", "1"],
  ...["all", "default", "eth0"].map((device) => [`ipv6/conf/${device}/accept_dad`, "0"] as const),
] as const;

function nodeIPv6({ ipv6 }: TopologyNode, peers: readonly TopologyNode[], ranges: RangesIPv6): string[] {
  if (ipv6 === undefined) return [];
  const services = formatCidr(ranges.service);
  return [
    `addr replace ${ipv6.gateway}/${ipv6.podCidr.split("/")[1]} dev ${bridgeDevice} nodad`,
    `addr replace ${ipv6.address}/${ranges.node.prefix} dev eth0 nodad`,
    ...peers.flatMap((peer) =>
      peer.ipv6 === undefined ? [] : [`route replace ${peer.ipv6.podCidr} via ${peer.ipv6.address} dev eth0`],
    ),
    `route replace default via ${uplinkAddress6(ranges)} dev eth0`,
    `route replace ${services} dev eth0 src ${ipv6.address}`,
  ];
}

/** A hardware address made of an IPv4 address: whoever remembers a neighbour stays right when the address is used anew. */
export function macOf(address: string): string {
  const octets = address.split(".").map((octet) => Number(octet).toString(16).padStart(2, "0"));
  return ["0a", "58", ...octets].join(":");
}

function bridgeCalls(value: string): [string, string][] {
  return ["iptables", "ip6tables", "arptables"].map((table) => [
    `bridge/bridge-nf-call-${table}`,
    table === "arptables" ? "0" : value,
  ]);
}

function range(what: string, text: string, longest: number): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined || cidr.family !== 4) throw new RangeError(`${what} ${text}: not an IPv4 range`);
  if (cidr.prefix > longest) throw new RangeError(`${what} ${text}: too small, /${longest} at most`);
  return cidr;
}

/** The ranges of IPv6, when there are any: Services and pods need one each. */
function rangesIPv6({ podCidr = "", serviceCidr = "", nodeSubnet = "" }: TopologyOptions): RangesIPv6 | undefined {
  const texts = {
    "pod CIDR": splitRanges(podCidr).ipv6,
    "service CIDR": splitRanges(serviceCidr).ipv6,
    "node subnet": splitRanges(nodeSubnet).ipv6,
  };
  if (Object.values(texts).every((text) => text === undefined)) return undefined;
  const parse = (what: keyof typeof texts, longest: number, standard = ""): Cidr => {
    const text = texts[what] ?? standard;
    const cidr = parseCidr(text);
    if (cidr === undefined || cidr.family !== 6) throw new RangeError(`${what} ${text}: not an IPv6 range`);
    if (cidr.prefix > longest) throw new RangeError(`${what} ${text}: too small, /${longest} at most`);
    return cidr;
  };
  const ranges = { "pod CIDR": parse("pod CIDR", 115), "service CIDR": parse("service CIDR", 122) };
  const node = parse("node subnet", 120, defaultNodeSubnet6);
  refuseOverlap({ ...ranges, "node subnet": node });
  return { pod: ranges["pod CIDR"], service: ranges["service CIDR"], node };
}

/** One that needs a way of its own: of a family that the cluster has, and not among the nodes' addresses. */
function outsideRange(
  cidr: Cidr,
  ranges: Partial<Record<"pod CIDR" | "service CIDR" | "node subnet", Cidr>>,
): string[] {
  const subnet = ranges["node subnet"];
  if (subnet === undefined || (cidr.prefix >= subnet.prefix && cidrsOverlap(cidr, subnet))) return [];
  refuseOverlap({ "load balancer CIDR": cidr, ...ranges }, cidr);
  return [formatCidr(cidr)];
}

/** With `of`, looks only at what overlaps that one. */
function refuseOverlap(ranges: Record<string, Cidr>, of?: Cidr): void {
  const entries = Object.entries(ranges);
  for (const [index, [name, cidr]] of entries.entries()) {
    for (const [other, against] of entries.slice(index + 1)) {
      if ((of === undefined || cidr === of) && cidrsOverlap(cidr, against)) {
        throw new RangeError(`${name} ${formatCidr(cidr)} overlaps ${other} ${formatCidr(against)}`);
      }
    }
  }
}
