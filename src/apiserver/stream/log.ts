import { request as httpRequest, type IncomingMessage } from "node:http";
import { pipeline } from "node:stream";
import type { Duplex } from "node:stream";
import type { ObjectKey } from "#api/meta/object.ts";
import { ApiError } from "#api/meta/status.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendBytes } from "../http/respond.ts";
import { targetOf } from "./target.ts";

/** A log may be silent for ever, but its head comes at once. */
const answerTimeoutMs = 30_000;

/** GET of a Pod's log: what the node answers, as it comes, for as long as it comes. */
export async function answerLog(exchange: Exchange, key: ObjectKey): Promise<void> {
  const { parts, query, response } = exchange;
  await parts.registry.latest();
  const { node, path } = targetOf(parts.registry, key, "log", query);
  if (node === undefined) {
    // Not started anywhere: an empty log, as upstream has it.
    sendBytes(exchange, 200, Buffer.alloc(0), { "Content-Type": "text/plain" });
    return;
  }
  const stream = await openNode(parts, node);
  const answer = await ask(stream, path, exchange.request.headers["user-agent"]);
  response.writeHead(answer.statusCode ?? 502, {
    "Content-Type": answer.headers["content-type"] ?? "text/plain",
    "Cache-Control": "no-cache, private",
  });
  response.flushHeaders();
  const end = () => stream.destroy();
  parts.open.add(end);
  // Not waited for: a log that is followed may go on for days and is no request on its way any more.
  pipeline(answer, response, () => {
    parts.open.delete(end);
    stream.destroy();
  });
}

/** Rejects with `ServiceUnavailable` when the node's agent cannot be reached. */
export async function openNode(parts: Exchange["parts"], node: string): Promise<Duplex> {
  if (parts.connectNode === undefined) throw unreachable(node, "this server has no way to nodes");
  try {
    return await parts.connectNode(node);
  } catch (error) {
    throw unreachable(node, (error as Error).message);
  }
}

export function unreachable(node: string, why: string): ApiError {
  return new ApiError("ServiceUnavailable", `the agent of node ${JSON.stringify(node)} cannot be reached: ${why}`);
}

function ask(stream: Duplex, path: string, agent: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { Host: "node", ...(agent === undefined ? {} : { "User-Agent": agent }) };
    const request = httpRequest({ path, headers, createConnection: () => stream });
    request.setTimeout(answerTimeoutMs, () => request.destroy(new Error(`no answer within ${answerTimeoutMs} ms`)));
    request.on("response", (response) => {
      request.setTimeout(0);
      resolve(response);
    });
    request.on("error", (error) => {
      stream.destroy();
      reject(new ApiError("ServiceUnavailable", `the node's agent broke off: ${error.message}`));
    });
    request.end();
  });
}
