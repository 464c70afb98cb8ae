/** The table upstream's nftables mode uses as well, so that one of the two replaces the other and both never fight. */
export const tableName = "kube-proxy";
/** The mark bit of upstream's `masqueradeBit: 14`: this packet's source becomes the node's. */
export const masqueradeBit = "0x4000";
/** Ends a flow so that the client notices at once. */
export const rejectChain = "reject-chain";
/** What `externalTrafficPolicy: Local` does with a packet, by where it came from. */
export const externalLocalChain = "external-local";
export const nodeportLocalChain = "nodeport-local";
