import type { Family } from "#base/cidr.ts";
import type { ElementChange } from "../ledger.ts";
import { addressBits } from "../checked.ts";
import { device, type Element, type Place } from "./element.ts";
import { kernelName, sets, type SetName } from "./sets.ts";

/** One program and what it is given, in the order to run them. */
export type Command = readonly [program: "ipset" | "ip" | "ipvsadm", input: string];

/** What is given to the programs, and which real servers take no new connections and wait for the end of their old. */
export interface IpvsChange {
  readonly commands: readonly Command[];
  readonly draining: ReadonlySet<string>;
}

/**
 * The commands that make a change true. An address is served before packets come to it: sets, servers, then addresses;
 * backwards when it goes. A real server of TCP that goes gets weight 0 and stays while it has connections (upstream
 * `graceful_termination.go`); one that comes back while it waits is used again. Pure.
 */
export function renderChange(
  { deletes, adds }: ElementChange<Place>,
  draining: ReadonlySet<string>,
  family: Family = 4,
): IpvsChange {
  const of = (elements: readonly Element[], place: "address" | "server" | "real") =>
    elements.filter(({ set }) => set === place);
  const entries = (verb: "add" | "del", elements: readonly Element[]) =>
    elements.flatMap(({ set, key }) => (isSet(set) ? [`${verb} ${kernelName(set, family)} ${key}`] : []));
  const keysOf = (elements: readonly Element[]) => new Set(elements.map(({ key }) => key));
  const waiting = new Set(draining);

  const kept = keysOf(of(adds, "server"));
  const changed = keysOf(of(deletes, "server"));
  const gone = of(deletes, "server").filter(({ key }) => !kept.has(key));
  const isGone = (real: string) => gone.some(({ key }) => real.startsWith(`${key} -r `));
  const comes = of(adds, "real");
  const leaves = of(deletes, "real").filter(({ key }) => !keysOf(comes).has(key) && !isGone(key));
  const there = keysOf(of(deletes, "real"));

  const servers = of(adds, "server").map(({ key, value }) => `${changed.has(key) ? "-E" : "-A"} ${key} ${value}`);
  const reals = comes.map(({ key, value }) => {
    const isThere = waiting.delete(key) || there.has(key);
    return `${isThere ? "-e" : "-a"} ${key} -m -w ${value}`;
  });
  const ends = leaves.flatMap(({ key, value }) => {
    if (!key.startsWith("-t ")) return [`-d ${key}`];
    waiting.add(key);
    return value === "0" ? [] : [`-e ${key} -m -w 0`];
  });
  for (const real of waiting) if (isGone(real)) waiting.delete(real);

  const addresses = (verb: "add" | "del", elements: readonly Element[]) =>
    of(elements, "address").map(({ key }) => `addr ${verb} ${key}/${addressBits[family]} dev ${device}`);
  const steps: [Command[0], string[]][] = [
    ["ipset", entries("add", adds)],
    ["ipvsadm", [...servers, ...reals, ...ends]],
    ["ip", addresses("add", adds)],
    ["ip", addresses("del", deletes)],
    ["ipvsadm", gone.map(({ key }) => `-D ${key}`)],
    ["ipset", entries("del", deletes)],
  ];
  const commands = steps
    .filter(([, lines]) => lines.length > 0)
    .map(([program, lines]): Command => [program, `${lines.join("\n")}\n`]);
  return { commands, draining: waiting };
}

/** What a line of these commands puts on the node, or takes away. Pure. */
export function elementOf(line = "", family: Family = 4): Omit<Element, "value"> | undefined {
  const [, address] = /^addr \S+ ([^/]+)\//.exec(line) ?? [];
  if (address !== undefined) return { set: "address", key: address };
  const [, name = "", key = ""] = /^(?:add|del) (\S+) (\S+)/.exec(line) ?? [];
  const set = (Object.keys(sets) as SetName[]).find((each) => kernelName(each, family) === name);
  return set === undefined ? undefined : { set, key };
}

function isSet(place: Place): place is SetName {
  return place.startsWith("KUBE-");
}
