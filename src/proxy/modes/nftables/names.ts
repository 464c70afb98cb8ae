import type { Family } from "#base/cidr.ts";

/** How nft names a family's tables and packet fields, and the type of its addresses. */
export const words = {
  4: { ip: "ip", address: "ipv4_addr" },
  6: { ip: "ip6", address: "ipv6_addr" },
} as const satisfies Record<Family, object>;

/** The table upstream's nftables mode uses as well, so that one of the two replaces the other and both never fight. */
export const tableName = "kube-proxy";

/** The table of a family as commands name it. */
export function tableOf(family: Family): string {
  return `${words[family].ip} ${tableName}`;
}

/** The mark bit of upstream's `masqueradeBit: 14`: this packet's source becomes the node's. */
export const masqueradeBit = "0x4000";
/** Ends a flow so that the client notices at once. */
export const rejectChain = "reject-chain";
/** What `externalTrafficPolicy: Local` does with a packet, by where it came from. */
export const externalLocalChain = "external-local";
export const nodeportLocalChain = "nodeport-local";
