import type { Family } from "#base/cidr.ts";
import { masqueradeBit, tableOf, words } from "./names.ts";

/**
 * A chain that picks an endpoint, with the map it picks from. There is one for each number of endpoints and each way to pick, shared by all service
 * ports that want the same; which endpoint stands in which slot is an element of a map. So a change of endpoints
 * changes elements only.
 */
export interface Balancer {
  /** What finds the service port: its address and port, or a node port alone. */
  readonly by: "address" | "nodeport";
  /** The endpoints of the cluster that are in use, or those of this node. */
  readonly of: "all" | "local";
  readonly count: number;
  /** 0 for no affinity. */
  readonly affinitySeconds: number;
  /** Whether the source always becomes the node's. */
  readonly masquerade: boolean;
}

/** Where the slots of a node's own endpoints start in the maps, and how far the masqueraded twins are from the others. */
export const localOffset = 65_536;
export const masqueradeOffset = 131_072;

export function balancerName({ by, of, count, affinitySeconds, masquerade }: Balancer): string {
  const sticky = affinitySeconds === 0 ? "" : `-for-${affinitySeconds}s`;
  return `${by === "nodeport" ? "np-" : ""}${of === "local" ? "local" : "lb"}-${count}${sticky}${masquerade ? "-masq" : ""}`;
}

/**
 * The map of endpoints that a balancer without affinity picks from, with the masqueraded one and the other as one. Each
 * has its own, made in one transaction with its rule: nft 1.0.6 cannot add a rule on a map of this type that it reads
 * back from the kernel.
 */
export function endpointsName(balancer: Balancer): `endpoints-${string}` {
  return `endpoints-${balancerName({ ...balancer, masquerade: false })}`;
}

const namePattern = /^(np-)?(lb|local)-(\d+)(?:-for-(\d+)s)?(-masq)?$/;

/** Whether a chain of the table is one of these. */
export function isBalancer(chain: string): boolean {
  return namePattern.test(chain);
}

/** The balancer that has this name. */
export function balancerOf(name: string): Balancer {
  const [, port, of, count, seconds, masquerade] = namePattern.exec(name) ?? [];
  return {
    by: port === undefined ? "address" : "nodeport",
    of: of === "local" ? "local" : "all",
    count: Number(count),
    affinitySeconds: Number(seconds ?? 0),
    masquerade: masquerade !== undefined,
  };
}

/** The maps of endpoints that the chains with these names pick from. */
export function mapsOf(chains: ReadonlySet<string>): string[] {
  return [...chains].filter((name) => /^(np-)?(lb|local)-\d+$/.test(name)).map((name) => `endpoints-${name}`);
}

/** The balancers that must be there before this one, and this one. */
export function withPrecursors(balancer: Balancer): Balancer[] {
  const twin = { ...balancer, masquerade: !balancer.masquerade };
  // Without affinity the masqueraded chain leads to the other, with affinity the other way round.
  return balancer.masquerade === (balancer.affinitySeconds === 0) ? [twin, balancer] : [balancer];
}

/** The commands that make the chain, after those of its precursors. */
export function renderBalancer(balancer: Balancer, family: Family = 4): string[] {
  const { by, of, count, affinitySeconds, masquerade } = balancer;
  const name = balancerName(balancer);
  const { ip } = words[family];
  const chain = `${tableOf(family)} ${name}`;
  const rule = (text: string) => `add rule ${chain} ${text}`;
  const make = [`add chain ${chain}`];
  const prefix = by === "nodeport" ? "nodeport-" : "";
  const key = by === "nodeport" ? "meta l4proto . th dport" : `${ip} daddr . meta l4proto . th dport`;
  const slot = (extra: number, choices = count) => {
    const offset = (of === "local" ? localOffset : 0) + extra;
    return `${key} . numgen random mod ${choices}${offset === 0 ? "" : ` offset ${offset}`}`;
  };
  if (affinitySeconds === 0) {
    const plain = balancerName({ ...balancer, masquerade: false });
    if (masquerade) return [...make, rule(`meta mark set meta mark or ${masqueradeBit} goto ${plain}`)];
    const map = endpointsName(balancer);
    const type = `typeof ${key} . numgen random mod 2 : ${ip} daddr . th dport`;
    const pick = `dnat ${ip} addr . port to ${key} . numgen random mod ${count} map @${map}`;
    return [`add map ${tableOf(family)} ${map} { ${type}; }`, ...make, rule(pick)];
  }
  const divert = rule(
    `meta mark and ${masqueradeBit} == ${masqueradeBit} goto ${balancerName({ ...balancer, masquerade: true })}`,
  );
  const client = `${ip} saddr . ${key}`;
  const entry = `${client} timeout ${affinitySeconds}s : meta mark`;
  const go = `dnat ${ip} addr . port to ${key} . meta mark map @${prefix}affinity-endpoints`;
  const head = [...make, ...(masquerade ? [] : [divert])];
  const first = masquerade ? masqueradeOffset : 0;
  if (family === 6) {
    // nft 1.0.6 cannot write to a map by so long a key, only to a set: so each endpoint is asked for in its turn, as
    // upstream does. One that is gone is never asked for.
    const remembered = `${client} . meta mark`;
    const remember = `update @${prefix}affinity { ${remembered} timeout ${affinitySeconds}s }`;
    const asked = Array.from({ length: count }, (_, index) =>
      rule(
        `meta mark set ${slot(first + index, 1)} map @${prefix}affinity-slots ${remembered} @${prefix}affinity ${remember} ${go}`,
      ),
    );
    const chosen = rule(`meta mark set ${slot(first)} map @${prefix}affinity-slots`);
    return [...head, ...asked, chosen, rule(`${remember} ${go}`), rule(go)];
  }
  return [
    ...head,
    rule(`meta mark set ${client} map @${prefix}affinity`),
    rule(`${key} . meta mark @${prefix}affinity-valid update @${prefix}affinity { ${entry} } ${go}`),
    // Not known, or known with an endpoint that is gone; an update would keep the old one, so it is deleted first.
    rule(`delete @${prefix}affinity { ${client} : meta mark }`),
    rule(`meta mark set ${slot(first)} map @${prefix}affinity-slots`),
    rule(`update @${prefix}affinity { ${entry} } ${go}`),
    // The memory for clients is full: serve without remembering.
    rule(go),
  ];
}
