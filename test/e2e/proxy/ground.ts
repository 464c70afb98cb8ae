import { existsSync } from "node:fs";
import { spawn, spawnSync, type ChildProcessByStdio } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Family } from "#base/cidr.ts";
import type { ProxyNode } from "#proxy/mode.ts";
import type { Question } from "./peer.ts";

/**
 * Two nodes with pods and a client outside, each in a network namespace of its own, with a process in every one of them
 * that answers and asks. Only for the sandbox: the outside client is the namespace the test itself runs in.
 */
export interface Ground {
  readonly nodes: readonly ProxyNode[];
  /** By name: pod-a and pod-b on node-1, pod-c on node-2, node-1, node-2, outside. */
  ask(peer: string, question: Question): Promise<unknown>;
  stop(): Promise<void>;
}

/** Some kernels have none. */
export const hasIPv6: boolean = existsSync("/proc/net/if_inet6");
/** Those that can be shown here. */
export const families: readonly Family[] = hasIPv6 ? [4, 6] : [4];

/** Addresses of one family; every node and pod has one of each. */
export interface Plan {
  readonly pods: Readonly<Record<keyof typeof pods, string>>;
  readonly nodes: Readonly<Record<"node-1" | "node-2", string>>;
  readonly outside: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** Where addresses of Services from outside the cluster are. */
  readonly externalCidr: string;
  /** The address of node-1 on its bridge of pods. */
  readonly gateway: string;
  /** A cluster IP, an external address and an address of no Service by number. */
  readonly clusterIP: (number: number) => string;
  readonly external: (number: number) => string;
  readonly nobody: string;
}

export const podIP = { "pod-a": "10.244.1.10", "pod-b": "10.244.1.11", "pod-c": "10.244.2.10" } as const;
export const nodeIP = { "node-1": "172.30.0.11", "node-2": "172.30.0.12" } as const;
export const outsideIP = "172.30.0.254";

export const plans = {
  4: {
    pods: podIP,
    nodes: nodeIP,
    outside: outsideIP,
    podCidr: "10.244.0.0/16",
    serviceCidr: "10.96.0.0/12",
    externalCidr: "192.0.2.0/24",
    gateway: "10.244.1.1",
    clusterIP: (number) => `10.96.0.${number}`,
    external: (number) => `192.0.2.${number}`,
    nobody: "10.96.9.9",
  },
  6: {
    pods: { "pod-a": "fd00:10:244:1::10", "pod-b": "fd00:10:244:1::11", "pod-c": "fd00:10:244:2::10" },
    nodes: { "node-1": "fd00:172:30::11", "node-2": "fd00:172:30::12" },
    outside: "fd00:172:30::254",
    podCidr: "fd00:10:244::/48",
    serviceCidr: "fd00:10:96::/108",
    externalCidr: "2001:db8::/64",
    gateway: "fd00:10:244:1::1",
    clusterIP: (number) => `fd00:10:96::${number.toString(16)}`,
    external: (number) => `2001:db8::${number.toString(16)}`,
    nobody: "fd00:10:96::9:9",
  },
} as const satisfies Record<Family, Plan>;

const pods = { "pod-a": "node-1", "pod-b": "node-1", "pod-c": "node-2" } as const;
export const netnsOf = (name: string) => `/run/netns/${name}`;

/** Gives `ip` many lines at once: where the processor is emulated, each program takes a tenth of a second. */
function ip(lines: readonly string[], netns?: string, family?: Family): void {
  if (lines.length === 0) return;
  const place = netns === undefined ? [] : ["-n", netns];
  const input = `${lines.join("\n")}\n`;
  const { status, stderr } = spawnSync(
    "ip",
    [...(family === undefined ? [] : [`-${family}`]), ...place, "-batch", "-"],
    { input, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`${netns ?? "here"}: ${stderr}\n${input}`);
}

function sysctl(netns: string | undefined, ...settings: string[]): void {
  const inside = netns === undefined ? [] : ["nsenter", `--net=${netnsOf(netns)}`];
  const [program = "", ...args] = [...inside, "sysctl", "-q", "-w", ...settings];
  spawnSync(program, args);
}

/** Links' own addresses wait for no objection, or a router asks for no neighbour in its first second. */
const withoutDad = ["net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0"];
const forwards = [
  "net.ipv4.ip_forward=1",
  "net.ipv6.conf.all.forwarding=1",
  "net.bridge.bridge-nf-call-iptables=1",
  "net.bridge.bridge-nf-call-ip6tables=1",
  // The kernel counts a redirect against the refusals it may send to the same peer; nodes of our own send none.
  "net.ipv4.conf.all.send_redirects=0",
  "net.ipv4.conf.default.send_redirects=0",
];
const forwardsNot = [
  "net.ipv4.ip_forward=0",
  "net.bridge.bridge-nf-call-iptables=0",
  "net.bridge.bridge-nf-call-ip6tables=0",
];

/** The same network of each family there is. No address waits to be found unique: nobody else is there. */
function buildNetwork(): void {
  const podNames = Object.keys(pods) as (keyof typeof pods)[];
  const nodeNames = Object.keys(nodeIP) as (keyof typeof nodeIP)[];
  ip([...nodeNames, ...podNames].map((name) => `netns add ${name}`));
  for (const pod of podNames) sysctl(pod, ...withoutDad);
  for (const node of nodeNames) sysctl(node, ...withoutDad, ...forwards);
  sysctl(undefined, ...withoutDad);
  const links = nodeNames.map(
    (node, index) => `link add up-${index} master lan up type veth peer name eth0 netns ${node}`,
  );
  const own = families.flatMap((family) => [
    `addr add ${plans[family].outside}/${subnet[family]}`,
    ...nodeNames.map((node, index) => `route add ${podRange(family, index)} via ${plans[family].nodes[node]}`),
    ...[plans[family].serviceCidr, plans[family].externalCidr].map(
      (range) => `route add ${range} via ${plans[family].nodes["node-1"]}`,
    ),
  ]);
  ip(["link add lan type bridge", "link set lan up", ...links, ...own.map(onDevice("lan"))]);
  sysctl(undefined, ...forwardsNot);
  for (const [index, node] of nodeNames.entries()) {
    const below = podNames.filter((pod) => pods[pod] === node);
    ip(
      [
        "link set lo up",
        "link set eth0 up",
        "link add cni0 type bridge",
        "link set cni0 up",
        ...families.flatMap((family) => [
          `addr add ${plans[family].nodes[node]}/${subnet[family]} dev eth0${noWait[family]}`,
          `addr add ${gatewayOf(family, index)}/${subnet[family]} dev cni0${noWait[family]}`,
          `route add default via ${plans[family].outside}`,
          ...nodeNames.flatMap((other, at) =>
            other === node ? [] : [`route add ${podRange(family, at)} via ${plans[family].nodes[other]}`],
          ),
        ]),
        ...below.flatMap((pod) => [
          `link add ${pod} master cni0 up type veth peer name eth0 netns ${pod}`,
          // A pod that is its own endpoint: the bridge may send a packet back where it came from.
          `link set ${pod} type bridge_slave hairpin on`,
        ]),
      ],
      node,
    );
    // As on a real node: what is still for a cluster IP when it is to be forwarded goes nowhere.
    for (const family of families) {
      const { serviceCidr } = plans[family];
      ip(
        ["eth0", "cni0"].map((from) => `rule add iif ${from} to ${serviceCidr} unreachable`),
        node,
        family,
      );
    }
    for (const pod of below) {
      const lines = families.flatMap((family) => [
        `addr add ${plans[family].pods[pod]}/${subnet[family]} dev eth0${noWait[family]}`,
        `route add default via ${gatewayOf(family, index)}`,
      ]);
      ip(["link set lo up", "link set eth0 up", ...lines], pod);
    }
  }
}

const subnet = { 4: 24, 6: 64 } as const;
const noWait = { 4: "", 6: " nodad" } as const;
const podRange = (family: Family, index: number) =>
  family === 4 ? `10.244.${index + 1}.0/24` : `fd00:10:244:${index + 1}::/64`;
const gatewayOf = (family: Family, index: number) =>
  family === 4 ? `10.244.${index + 1}.1` : `fd00:10:244:${index + 1}::1`;
const onDevice = (device: string) => (line: string) =>
  line.startsWith("addr ") ? `${line} dev ${device}${line.includes(":") ? noWait[6] : ""}` : line;

interface Peer {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly waiting: Map<number, (value: unknown) => void>;
}

function startPeer(name: string, netns: string | undefined, ports: readonly number[]): Promise<Peer> {
  const inside = netns === undefined ? [] : ["nsenter", `--net=${netns}`];
  const script = [process.execPath, `${import.meta.dirname}/peer.ts`, name, ...ports.map(String)];
  const [program = "", ...args] = [...inside, ...script];
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map<number, (value: unknown) => void>();
  const { promise, resolve, reject } = Promise.withResolvers<Peer>();
  waiting.set(0, () => resolve({ child, waiting }));
  child.on("error", reject);
  createInterface(child.stdout).on("line", (line) => {
    const { id, value } = JSON.parse(line) as { id: number; value: unknown };
    waiting.get(id)?.(value);
    waiting.delete(id);
  });
  return promise;
}

export async function startGround(): Promise<Ground> {
  buildNetwork();
  const peers = new Map<string, Peer>();
  const starts = [...Object.keys(pods), ...Object.keys(nodeIP), "outside"].map(async (name) => {
    const ports = name in pods ? [8080, 8081] : [];
    peers.set(name, await startPeer(name, name === "outside" ? undefined : netnsOf(name), ports));
  });
  await Promise.all(starts);
  let questions = 0;
  return {
    nodes: (["node-1", "node-2"] as const).map((name) => ({
      name,
      netns: netnsOf(name),
      addresses: families.map((family) => plans[family].nodes[name]),
      podCidrs: families.map((family) => plans[family].podCidr),
      serviceCidrs: families.map((family) => plans[family].serviceCidr),
    })),
    ask(name, question) {
      const peer = peers.get(name);
      if (peer === undefined) throw new Error(`no peer ${name}`);
      questions += 1;
      const id = questions;
      return new Promise((resolve) => {
        peer.waiting.set(id, resolve);
        peer.child.stdin.write(`${JSON.stringify({ id, question })}\n`);
      });
    },
    async stop() {
      for (const { child } of peers.values()) {
        const gone = new Promise((resolve) => child.once("close", resolve));
        child.stdin.end();
        await gone;
      }
    },
  };
}
