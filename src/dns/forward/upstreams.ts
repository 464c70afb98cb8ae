import { isIP } from "node:net";
import { formatAddress, parseAddress } from "#base/cidr.ts";
import type { ListenAddress, Upstream } from "../contract.ts";

const upstreamLimit = 15;
const textLimit = 1_000_000;

/** The servers of a resolv.conf text: first word after each `nameserver`, as the resolver reads it. Others are ignored. */
export function parseNameservers(text: string): Upstream[] {
  const found: Upstream[] = [];
  for (const line of text.slice(0, textLimit).split("\n")) {
    const [keyword, address = ""] = line.trim().split(/\s+/);
    // A zone behind an IPv6 address names an interface of this machine.
    if (keyword === "nameserver" && isIP(address.split("%")[0] ?? "") !== 0) found.push({ address, port: 53 });
  }
  return found;
}

export interface UpstreamChoice {
  readonly upstreams: readonly Upstream[];
  readonly refused: readonly { readonly upstream: Upstream; readonly reason: string }[];
}

/**
 * The upstreams that may be asked: at most fifteen, each once, and none that leads back to this server, which would
 * ask itself in a circle. `local` are all addresses of this machine, for servers that listen on all of them.
 */
export function chooseUpstreams(
  wanted: readonly Upstream[],
  own: { listen: readonly ListenAddress[]; service: readonly string[]; local: readonly string[] },
): UpstreamChoice {
  const upstreams: Upstream[] = [];
  const refused: { upstream: Upstream; reason: string }[] = [];
  const seen = new Set<string>();
  const serviceAddresses = new Set(own.service.map(canonical));
  const local = new Set(own.local.map(canonical));
  for (const upstream of wanted) {
    const { port = 53 } = upstream;
    const address = canonical(upstream.address);
    const key = `${address} ${port}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const self = own.listen.some(
      (listen) =>
        listen.port === port &&
        (canonical(listen.address) === address ||
          (isWildcard(listen.address) && (isLoopback(address) || local.has(address)))),
    );
    if (self) refused.push({ upstream, reason: "this server listens there itself" });
    else if (serviceAddresses.has(address) && port === 53)
      refused.push({ upstream, reason: "that is the cluster address of this server" });
    else if (upstreams.length === upstreamLimit)
      refused.push({ upstream, reason: `there are ${upstreamLimit} upstreams already` });
    else upstreams.push({ address: upstream.address, port });
  }
  return { upstreams, refused };
}

function canonical(address: string): string {
  const parsed = parseAddress(address.split("%")[0] ?? "");
  return parsed === undefined ? address : formatAddress(parsed);
}

function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || canonical(address) === "::";
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
