import type { Duplex } from "node:stream";
import type { ObjectKey } from "#api/meta/object.ts";
import { ApiError } from "#api/meta/status.ts";
import { demand } from "../auth/authorize.ts";
import type { Exchange } from "../http/exchange.ts";
import { parseResourcePath } from "../http/path.ts";
import { attributesOf } from "../http/dispatch.ts";
import { partReview } from "../registry/review.ts";
import type { ReviewRequest } from "../webhooks/request.ts";
import { openNode, unreachable } from "./log.ts";
import { targetOf, type StreamKind } from "./target.ts";

const streamPath = /^\/api\/v1\/namespaces\/[^/]+\/pods\/[^/]+\/(exec|attach|portforward)\/?$/;

/** Whether a request with `Upgrade` is one of a Pod's streams; others are answered as if the header were not there. */
export function isStreamPath(path: string): boolean {
  return streamPath.test(path);
}

/**
 * Joins a client that upgrades its connection with the node's agent: the request goes on with its own headers but for
 * the credentials, and from then on bytes pass both ways with back-pressure; each side may end its half. Rejects with
 * `ApiError` as long as nothing has been sent.
 */
export async function joinStream(exchange: Omit<Exchange, "response">, socket: Duplex, head: Buffer): Promise<void> {
  const { parts, path, query, user } = exchange;
  const resource = parseResourcePath(path);
  if (resource?.name === undefined || resource.subresource === undefined)
    throw new ApiError("NotFound", "no such stream");
  demand(parts.authorizer, user, attributesOf(exchange as Exchange, resource));
  const { name, namespace } = resource;
  const key = { name, ...(namespace === undefined ? {} : { namespace }) };
  await parts.registry.latest();
  const target = targetOf(parts.registry, key, resource.subresource as StreamKind, query);
  await parts.registry.review(connectReview(exchange, key, resource.subresource as StreamKind));
  if (target.node === undefined) throw new ApiError("BadRequest", `pod ${name} does not have a host assigned`);
  const node = await openNode(parts, target.node);
  if (socket.destroyed) {
    node.destroy();
    return;
  }
  node.on("error", () => {});
  const refused = await writeHead(node, renderHead(exchange, target.path)).then(
    () => undefined,
    (error: Error) => error,
  );
  if (refused !== undefined) throw unreachable(target.node, refused.message);
  if (head.length > 0) node.write(head);
  joinPipes(parts, socket, node);
}

const optionKinds: Readonly<Record<string, string>> = {
  exec: "PodExecOptions",
  attach: "PodAttachOptions",
  portforward: "PodPortForwardOptions",
};

/** What webhooks are asked before somebody is connected to a Pod. */
function connectReview(
  { user, query, warnings }: Pick<Exchange, "user" | "query" | "warnings">,
  key: ObjectKey,
  subresource: StreamKind,
): ReviewRequest {
  const is = (name: string) => ["true", "1"].includes(query.get(name) ?? "");
  const streams = Object.fromEntries(
    ["stdin", "stdout", "stderr", "tty"].flatMap((name) => (is(name) ? [[name, true]] : [])),
  );
  const container = query.get("container");
  const object =
    subresource === "portforward"
      ? { ports: query.getAll("ports").flatMap((text) => text.split(",").map(Number)) }
      : {
          ...streams,
          ...(container && { container }),
          ...(subresource === "exec" && { command: query.getAll("command") }),
        };
  const kind = optionKinds[subresource] ?? "";
  const context = { user, fieldManager: "", warn: (text: string) => warnings.add(text) };
  return partReview(context, key, { operation: "CONNECT", subresource, object, apiVersion: "v1", kind });
}

function writeHead(node: Duplex, head: string): Promise<void> {
  return new Promise((resolve, reject) => {
    node.write(head, (error) => (error ? reject(error) : resolve()));
  });
}

/** Credentials stop here; `Host` is the node's. */
const keptBack = new Set(["authorization", "host", "cookie", "x-forwarded-for", "expect"]);

function renderHead({ method, request }: Pick<Exchange, "method" | "request">, path: string): string {
  const lines = [`${method} ${path} HTTP/1.1`, "Host: node"];
  const { rawHeaders } = request;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const lower = name.toLowerCase();
    if (keptBack.has(lower) || lower.startsWith("impersonate-")) continue;
    // A bearer token may come as a WebSocket subprotocol; it is a credential all the same.
    const value =
      lower === "sec-websocket-protocol" ? withoutToken(rawHeaders[index + 1] as string) : rawHeaders[index + 1];
    lines.push(`${name}: ${value}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function withoutToken(protocols: string): string {
  const kept = protocols.split(",").filter((protocol) => !protocol.trim().startsWith("base64url.bearer."));
  return kept.join(",").trim();
}

function joinPipes(parts: Exchange["parts"], client: Duplex, node: Duplex): void {
  client.allowHalfOpen = true;
  node.allowHalfOpen = true;
  const end = () => {
    client.destroy();
    node.destroy();
  };
  parts.open.add(end);
  let open = 2;
  const closed = () => {
    open -= 1;
    if (open === 0) parts.open.delete(end);
  };
  for (const [from, to] of [
    [client, node],
    [node, client],
  ] as const) {
    // `pipe` stops reading while the other side is full, and passes the end of one half on.
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => {
      closed();
      // Closed without an end: the other side must not wait for one.
      if (!from.readableEnded) to.destroy();
    });
  }
}
