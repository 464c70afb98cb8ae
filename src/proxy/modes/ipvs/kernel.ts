import { device, type Element } from "./element.ts";
import { sets, type SetName } from "./sets.ts";

/** The entries that `ipset save` printed of the sets of this mode. Pure. */
export function parseSets(text: string): { readonly made: ReadonlySet<string>; readonly elements: Element[] } {
  const made = new Set<string>();
  const elements: Element[] = [];
  for (const line of text.split("\n")) {
    const [, verb, name = "", key = ""] = /^(create|add) (\S+) (\S+)/.exec(line) ?? [];
    if (!Object.hasOwn(sets, name)) continue;
    if (verb === "create") made.add(name);
    else elements.push({ set: name as SetName, key, value: "" });
  }
  return { made, elements };
}

/** The virtual and real servers that `ipvsadm -S -n` printed. Pure. */
export function parseServers(text: string): Element[] {
  const elements: Element[] = [];
  for (const line of text.split("\n")) {
    const [, verb, server = "", rest = ""] = /^-(A|a) (-[tu] \S+|--sctp-service \S+) ?(.*)$/.exec(line.trim()) ?? [];
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

/** The IPv4 addresses that `ip -j -4 addr show` printed, of the device of Services and of all others but loopback. Pure. */
export function parseAddresses(text: string): { readonly services: Element[]; readonly others: string[] } {
  const links = JSON.parse(text.trim() || "[]") as {
    ifname?: string;
    addr_info?: { local?: string; scope?: string }[];
  }[];
  const services: Element[] = [];
  const others: string[] = [];
  for (const { ifname, addr_info: addresses = [] } of links) {
    for (const { local, scope } of addresses) {
      if (local === undefined) continue;
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
