import { createHash } from "node:crypto";

/** The chains of upstream's iptables mode, so that people and tools find what they know. */
export const servicesChain = "KUBE-SERVICES";
export const externalServicesChain = "KUBE-EXTERNAL-SERVICES";
export const nodePortsChain = "KUBE-NODEPORTS";
export const proxyFirewallChain = "KUBE-PROXY-FIREWALL";
export const forwardChain = "KUBE-FORWARD";
export const firewallChain = "KUBE-FIREWALL";
export const postroutingChain = "KUBE-POSTROUTING";
export const markChain = "KUBE-MARK-MASQ";
/** Ours: marks what comes from none of several pod ranges, for which upstream has no rule. */
export const markOutsideChain = "KUBE-MARK-MASQ-OUTSIDE";
/** Empty; that it is gone tells that another program emptied the table. */
export const canaryChain = "KUBE-PROXY-CANARY";

/** Chains that one service port has for itself. */
export const servicePattern = /^KUBE-(?:SVC|SVL|EXT|FW|SEP)-[A-Z2-7]{16}$/;

/** `SVC`: all endpoints; `SVL`: those of this node; `EXT`: from outside; `FW`: source ranges. */
export function serviceChain(kind: "SVC" | "SVL" | "EXT" | "FW", servicePort: string, protocol: string): string {
  return `KUBE-${kind}-${hashOf(servicePort + protocol)}`;
}

/** The chain of one endpoint, `address:port`, of a service port. */
export function endpointChain(servicePort: string, protocol: string, endpoint: string): string {
  return `KUBE-SEP-${hashOf(servicePort + protocol + endpoint)}`;
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The first 16 characters of the SHA-256 in base 32 (RFC 4648), as upstream pkg/proxy/iptables names its chains. */
function hashOf(text: string): string {
  const digest = createHash("sha256").update(text).digest();
  let name = "";
  for (let bit = 0; bit < 80; bit += 5) {
    const window = digest.readUInt16BE(bit >> 3);
    name += alphabet.charAt((window >> (11 - (bit & 7))) & 31);
  }
  return name;
}
