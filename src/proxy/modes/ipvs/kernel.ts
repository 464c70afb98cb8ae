import type { Family } from "#base/cidr.ts";
import { device, type Element } from "./element.ts";
import { kernelName, sets, type SetName } from "./sets.ts";

/** The entries that `ipset save` printed of the sets of this mode and family. Pure. */
export function parseSets(
  text: string,
  family: Family = 4,
): { readonly made: ReadonlySet<SetName>; readonly elements: Element[] } {
  const names = new Map(Object.keys(sets).map((name) => [kernelName(name as SetName, family), name as SetName]));
  const made = new Set<SetName>();
  const elements: Element[] = [];
  for (const line of text.split("\n")) {
    const [, verb, printed = "", key = ""] = /^(create|add) (\S+) (\S+)/.exec(line) ?? [];
    const name = names.get(printed);
    if (name === undefined) continue;
    if (verb === "create") made.add(name);
    else elements.push({ set: name, key, value: "" });
  }
  return { made, elements };
}

/** The virtual and real servers of the family that `ipvsadm -S -n` printed. Pure. */
export function parseServers(text: string, family: Family = 4): Element[] {
  const elements: Element[] = [];
  for (const line of text.split("\n")) {
    const [, verb, server = "", rest = ""] = /^-(A|a) (-[tu] \S+|--sctp-service \S+) ?(.*)$/.exec(line.trim()) ?? [];
    if (server.includes("[") !== (family === 6)) continue;
    const option = (name: string) => new RegExp(`(?:^| )${name} (\\S+)`).exec(rest)?.[1];
    if (verb === "A") {
      const [flags, timeout] = [option("-b"), option("-p")];
      const value = `-s ${option("-s") ?? ""}${flags === undefined ? "" : ` -b ${flags}`}`;
      elements.push({ set: "server", key: server, value: `${value}${timeout === undefined ? "" : ` -p ${timeout}`}` });
    } else if (verb === "a") {
      elements.push({ set: "real", key: `${server} -r ${option("-r") ?? ""}`, value: option("-w") ?? "1" });
    }
  }
  return elements;
}

/** The addresses that `ip -j -4 addr show`, or with `-6`, printed, of the device of Services and of all others but loopback. Pure. */
export function parseAddresses(text: string): { readonly services: Element[]; readonly others: string[] } {
  const links = JSON.parse(text.trim() || "[]") as {
    ifname?: string;
    addr_info?: { local?: string; scope?: string }[];
  }[];
  const services: Element[] = [];
  const others: string[] = [];
  for (const { ifname, addr_info: addresses = [] } of links) {
    for (const { local, scope } of addresses) {
      // What the kernel gives an interface of IPv6 itself is no one's Service.
      if (local === undefined || scope === "link") continue;
      if (ifname === device) services.push({ set: "address", key: local, value: "" });
      else if (scope === "global") others.push(local);
    }
  }
  return { services, others };
}

/** A real server and its connections, as `ipvsadm -L -n` counts them. */
export interface RealServer {
  readonly key: string;
  readonly weight: number;
  readonly connections: number;
}

/** Pure; lines of another shape are left out. */
export function parseConnections(text: string): RealServer[] {
  const options: Readonly<Record<string, string>> = { TCP: "-t", UDP: "-u", SCTP: "--sctp-service" };
  const reals: RealServer[] = [];
  let server = "";
  for (const line of text.split("\n")) {
    const [, protocol = "", address = ""] = /^(TCP|UDP|SCTP)\s+(\S+)/.exec(line) ?? [];
    if (protocol !== "") server = `${options[protocol] ?? ""} ${address}`;
    const real = /^\s+-> (\S+)\s+\S+\s+(\d+)\s+(\d+)\s+(\d+)/.exec(line);
    if (real === null || server === "") continue;
    const [weight = 0, active = 0, inactive = 0] = real.slice(2).map(Number);
    reals.push({ key: `${server} -r ${real[1] ?? ""}`, weight, connections: active + inactive });
  }
  return reals;
}
