import { parseCidr, formatCidr, type Family } from "#base/cidr.ts";
import type { LedgerElement } from "../ledger.ts";
import type { ProxyNode } from "../../mode.ts";
import { interfaceText, whole } from "../checked.ts";

export type Table = "filter" | "nat" | "mangle";

/**
 * Where a thing of these tables stands. A table's name alone: a chain that one owner writes whole, its value the rules,
 * one a line. `nat shared`: a chain that many write rules into. `nat KUBE-SERVICES`: one rule in such a chain.
 *
 * Rules are written as `iptables-save` prints them, so that what stands in the kernel is found again by its text.
 */
export type Place = Table | `${Table} shared` | `${Table} ${string}`;
export type Element = LedgerElement<Place>;

/** The longest comment the kernel takes, without its ending zero (xt_comment.h). */
const commentLimit = 255;

/** A comment match. Whatever could end the quotes or the line becomes a question mark. */
export function comment(text: string): string {
  return `-m comment --comment "${text.replaceAll(/[^A-Za-z0-9 .,:;>_/[\]-]/g, "?").slice(0, commentLimit)}"`;
}

/** The match of a destination port, after a comment, which stands between protocol and port in what is printed. */
export function toPort(protocol: string, note: string, port: number, between = ""): string {
  return `-p ${protocol} ${note} ${between}-m ${protocol} --dport ${whole(port, 1, 65_535)}`;
}

/** Ranges of the family as the kernel prints them; what is none is left out. */
export function rangesOf(texts: readonly string[], family: Family): string[] {
  const parsed = texts.flatMap((text) => parseCidr(text) ?? []).filter((range) => range.family === family);
  return [...new Set(parsed.map((range) => formatCidr(range)))];
}

/** How rules tell the traffic of pods from that of others. */
export interface PodMatch {
  /** One match each; none where pods are not known. */
  readonly inside: readonly string[];
  /** What is of nobody here: one match, or `undefined` where it takes a chain of its own, or is not known. */
  readonly outside: string | undefined;
}

export function podMatch({
  family = 4,
  podCidrs,
  podInterface,
}: Pick<ProxyNode, "family" | "podCidrs" | "podInterface">): PodMatch {
  if (podInterface !== undefined) {
    const match = `-i ${interfaceText(podInterface)}`;
    return { inside: [match], outside: `! ${match}` };
  }
  const inside = rangesOf(podCidrs, family).map((range) => `-s ${range}`);
  return { inside, outside: inside.length === 1 ? `! ${inside[0]}` : undefined };
}

/** The share of one of `left` equal ones, in the steps of 2^-31 that the kernel counts in and with the digits printed. */
export function probability(left: number): string {
  return (Math.round(0x80000000 / left) / 0x80000000).toFixed(11);
}
