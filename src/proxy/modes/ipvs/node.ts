import { cidrContains, parseAddress, parseCidr } from "#base/cidr.ts";
import type { Log } from "#base/log.ts";
import { runOn } from "../../command.ts";
import type { ProxyNode } from "../../mode.ts";
import { restore, save } from "../iptables/command.ts";
import { parseSaved, withoutChainsOf } from "../iptables/kernel.ts";
import { chainNames as iptablesChains } from "../iptables/layout.ts";
import { canaryChain } from "../iptables/names.ts";
import type { Element as Rule } from "../iptables/rule.ts";
import { renderChange as renderRuleChange } from "../iptables/transaction.ts";
import { diffElements } from "../ledger.ts";
import { ask, give } from "./command.ts";
import { device, type Element } from "./element.ts";
import { parseAddresses, parseServers, parseSets } from "./kernel.ts";
import { chainNames } from "./layout.ts";
import { kernelName, renderSets } from "./sets.ts";
import type { IpvsSettings } from "./settings.ts";
import { renderChange } from "./transaction.ts";

const showAddresses = ({ family = 4 }: ProxyNode) => ["ip", "-j", `-${family}`, "addr", "show"];

/** The addresses that node ports are served on: those given, and all others of the node but loopback, in its ranges. */
export async function localAddresses(node: ProxyNode): Promise<readonly string[]> {
  const { others } = parseAddresses(await ask(node, showAddresses(node)));
  const all = [...new Set([...node.addresses, ...others])];
  const ranges = node.nodePortRanges?.flatMap((text) => parseCidr(text) ?? []);
  if (ranges === undefined) return all;
  return all.filter((text) => {
    const address = parseAddress(text);
    return address !== undefined && ranges.some((range) => cidrContains(range, address));
  });
}

/** All of this mode that stands on the node, without what another program serves in ranges that are excluded. */
export async function readNode(node: ProxyNode, { excludeCidrs = [] }: IpvsSettings): Promise<Element[]> {
  const ranges = excludeCidrs.flatMap((text) => parseCidr(text) ?? []);
  const isExcluded = (text: string) => {
    const address = parseAddress(text);
    return address !== undefined && ranges.some((range) => cidrContains(range, address));
  };
  const { elements } = parseSets(await ask(node, ["ipset", "save"]), node.family);
  const { services } = parseAddresses(await ask(node, showAddresses(node)));
  const servers = parseServers(await ask(node, ["ipvsadm", "-S", "-n"]), node.family);
  return [
    ...elements,
    ...services.filter(({ key }) => !isExcluded(key)),
    ...servers.filter(({ key }) => !isExcluded(/ \[?([\da-f.:]+)\]?:\d+/.exec(key)?.[1] ?? "")),
  ];
}

/** The rules of this mode that stand on the node. */
export async function readRules(node: ProxyNode): Promise<Rule[]> {
  return parseSaved(await save(node), chainNames);
}

export async function applyRules(node: ProxyNode, rules: readonly Rule[]): Promise<void> {
  for (const text of renderRuleChange(diffElements(await readRules(node), rules))) await restore(node, text);
}

/** Makes what does not change with Services: the device, the sets, and how the kernel treats flows. */
export async function prepareNode(node: ProxyNode, settings: IpvsSettings, log: Log): Promise<void> {
  const links = await runOn(node, ["ip", "link", "show", "dev", device]);
  if (links.code !== 0) await addDevice(node);
  const { made } = parseSets(await ask(node, ["ipset", "save"]), node.family);
  const { family = 4 } = node;
  const names = new Set([...made].map((name) => kernelName(name, family)));
  const missing = renderSets(family).filter((line) => !names.has(line.split(" ")[1] ?? ""));
  if (missing.length > 0) await give(node, ["ipset", `${missing.join("\n")}\n`]);
  const { strictArp = false, tcpTimeoutSeconds = 0, tcpFinTimeoutSeconds = 0, udpTimeoutSeconds = 0 } = settings;
  const sysctls = [
    "net.ipv4.vs.conntrack=1",
    "net.ipv4.vs.expire_nodest_conn=1",
    "net.ipv4.vs.expire_quiescent_template=1",
    family === 6 ? "net.ipv6.conf.all.forwarding=1" : "net.ipv4.ip_forward=1",
    ...(strictArp ? ["net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2"] : []),
  ];
  for (const setting of sysctls) {
    const { code, stderr } = await runOn(node, ["sysctl", "-q", "-w", setting]);
    if (code !== 0)
      log.warn({ node: node.name, setting, error: stderr.slice(0, 200) }, "a kernel setting for ipvs failed");
  }
  const timeouts = [tcpTimeoutSeconds, tcpFinTimeoutSeconds, udpTimeoutSeconds];
  if (timeouts.some((seconds) => seconds > 0)) await ask(node, ["ipvsadm", "--set", ...timeouts.map(String)]);
}

/** The proxy of the other family may be doing the same. */
async function addDevice(node: ProxyNode): Promise<void> {
  try {
    await ask(node, ["ip", "link", "add", device, "type", "dummy"]);
  } catch (error) {
    if (!String(error).includes("File exists")) throw error;
  }
}

/**
 * Removes all of it. Where neither device nor set of this mode is there nothing is. The mode iptables has chains of the
 * same names, and a canary: then they are its own.
 */
export async function clearNode(node: ProxyNode, settings: IpvsSettings): Promise<void> {
  const links = await runOn(node, ["ip", "link", "show", "dev", device]);
  if (links.code !== 0 && parseSets(await ask(node, ["ipset", "save"]), node.family).made.size === 0) return;
  const found = await readNode(node, settings);
  const servers = found.filter(({ set }) => set === "server").map(({ key }) => `-D ${key}\n`);
  if (servers.length > 0) await give(node, ["ipvsadm", servers.join("")]);
  const { family = 4 } = node;
  const other = parseAddresses(await ask(node, showAddresses({ ...node, family: family === 4 ? 6 : 4 }))).services;
  if (other.length === 0) await runOn(node, ["ip", "link", "del", device]);
  else {
    const addresses = found.filter(({ set }) => set === "address");
    for (const command of renderChange({ deletes: addresses, adds: [] }, new Set(), family).commands) {
      await give(node, command);
    }
  }
  const saved = await save(node);
  const rules = parseSaved(saved, chainNames);
  const rest = saved.includes(`:${canaryChain} `) ? withoutChainsOf(iptablesChains, rules) : rules;
  for (const text of renderRuleChange(diffElements(rest, []))) await restore(node, text);
  const { made } = parseSets(await ask(node, ["ipset", "save"]), node.family);
  const leftovers = [...made].map((name) => `destroy ${kernelName(name, family)}\n`);
  if (leftovers.length > 0) await give(node, ["ipset", leftovers.join("")]);
}
