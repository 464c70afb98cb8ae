import { formatEndpoint } from "#base/cidr.ts";
import type { LedgerElement } from "../ledger.ts";
import type { SetName } from "./sets.ts";

/**
 * Where a thing of this mode stands. `address`: on kube-ipvs0. `server`: a virtual server, its value the scheduler and
 * its flags. `real`: a real server of one, its value the weight. The others: one entry of an ipset.
 */
export type Place = "address" | "server" | "real" | SetName;
export type Element = LedgerElement<Place>;

/** The interface that holds the addresses of Services, so that packets to them come to the kernel's input. */
export const device = "kube-ipvs0";

/** A virtual server as ipvsadm names it. */
export function serverKey(protocol: "tcp" | "udp" | "sctp", address: string, port: number): string {
  const option = { tcp: "-t", udp: "-u", sctp: "--sctp-service" }[protocol];
  return `${option} ${formatEndpoint(address, port)}`;
}

export function realKey(server: string, address: string, port: number): string {
  return `${server} -r ${formatEndpoint(address, port)}`;
}
