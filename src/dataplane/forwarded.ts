import { parseAddress } from "#base/cidr.ts";
import { kind } from "#wire/http1/field-kind.ts";
import type { HeadTable } from "#wire/http1/head.ts";
import type { Connection } from "./transport/connection.ts";

/** What an endpoint is told about the client in front of us. */
export interface Forwarding {
  /** Whether the client speaks TLS, here or at a trusted proxy. */
  readonly secure: boolean;
  /** The address of the client: the peer's own, or whom a trusted proxy speaks for. */
  readonly client: string;
  /** The header fields that say so, ready to be written, without those that depend on the request. */
  readonly fields: Buffer;
  /** Set when the peer is trusted: then each request may say something else. */
  readonly trusted: boolean;
  /** The host a trusted proxy was asked for. */
  readonly host?: string;
}

/** What holds for every request of a connection. On TLS the port is 443 whatever ours is, as ingress-nginx says it. */
export function connectionForwarding(connection: Connection, trusts: (address: string) => boolean): Forwarding {
  const { remoteAddress, localPort } = connection;
  const tls = speaksTls(connection);
  return {
    secure: tls,
    client: remoteAddress,
    trusted: trusts(remoteAddress),
    fields: fieldsOf(remoteAddress, tls, localPort),
  };
}

/** What was rendered for clients of late: most connections come from the same few addresses. */
const rendered = new Map<string, Buffer>();
const mostRendered = 4096;

function fieldsOf(address: string, tls: boolean, localPort: number): Buffer {
  const port = String(tls ? 443 : localPort);
  const key = `${tls ? "s" : "p"}${port} ${address}`;
  let fields = rendered.get(key);
  if (fields === undefined) {
    fields = renderFields(address, address, tls ? "https" : "http", port);
    if (rendered.size >= mostRendered) rendered.clear();
    rendered.set(key, fields);
  }
  return fields;
}

/** Whether the client speaks TLS, to us or to a proxy in front that it reached at port 443 (ingress-nginx's rule). */
function speaksTls({ tls, proxied }: Connection): boolean {
  return tls || proxied?.destination.port === 443;
}

/** What a trusted peer says in one request. */
export function requestForwarding(
  connection: Connection,
  trusts: (address: string) => boolean,
  bytes: Buffer,
  head: HeadTable,
): Forwarding {
  const said = new Map<number, string>();
  for (let field = 0; field < head.count; field += 1) {
    const known = head.kinds[field] ?? 0;
    const value = bytes.toString("latin1", head.valueStart(field), head.valueEnd(field));
    const before = said.get(known);
    if (value !== "") said.set(known, before === undefined ? value : `${before}, ${value}`);
  }
  const first = (known: number) => said.get(known)?.split(",")[0]?.trim();
  const chain = said.get(kind.xForwardedFor);
  const hops = chain?.split(",").map((hop) => hop.trim()) ?? [];
  const client = hops.findLast((hop) => parseAddress(hop) !== undefined && !trusts(hop));
  const proto = first(kind.xForwardedProto) === "https" || (speaksTls(connection) && !said.has(kind.xForwardedProto));
  const port = first(kind.xForwardedPort);
  return {
    secure: proto,
    client: client ?? connection.remoteAddress,
    trusted: true,
    host: first(kind.xForwardedHost),
    fields: renderFields(
      client ?? connection.remoteAddress,
      chain === undefined ? connection.remoteAddress : `${chain}, ${connection.remoteAddress}`,
      proto ? "https" : "http",
      port !== undefined && /^\d{1,5}$/.test(port) ? port : String(proto ? 443 : connection.localPort),
    ),
  };
}

function renderFields(realIp: string, chain: string, proto: string, port: string): Buffer {
  const lines = [
    `X-Real-IP: ${realIp}`,
    `X-Forwarded-For: ${chain}`,
    `X-Forwarded-Port: ${port}`,
    `X-Forwarded-Proto: ${proto}`,
    `X-Forwarded-Scheme: ${proto}`,
    `X-Scheme: ${proto}`,
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n`, "latin1");
}
