import { counter } from "../counters.ts";
import { lent } from "../transport/connection.ts";
import { closeConnection } from "./ending.ts";
import type { Exchange } from "./exchange.ts";

/** The endpoint took up the other protocol that the client asked for. */
export function switchProtocols(exchange: Exchange, bytes: Buffer, headEnd: number, end: number): void {
  const { responseHead: head } = exchange.context;
  if (!exchange.request.upgrade || head.upgradeField < 0) {
    exchange.fail(502, "switched protocols without being asked");
    return;
  }
  exchange.responding = true;
  exchange.books.answered(101);
  exchange.tunnel = true;
  exchange.count(counter.class1, 1);
  const result = exchange.client.sendHead({ bytes, headEnd, head, framing: 0, edits: undefined }, end);
  if (result === lent) exchange.upstream?.pause();
  exchange.wait("tunnel");
  exchange.client.switchProtocols();
}

/** Bytes of an upgraded endpoint. */
export function tunnelFromEndpoint(exchange: Exchange, bytes: Buffer, start: number, end: number): void {
  exchange.count(counter.bytesOut, end - start);
  if (exchange.client.sendBody(bytes, start, end) === lent) exchange.upstream?.pause();
  exchange.wait("tunnel");
}

/** Bytes of an upgraded client. */
export function tunnelFromClient(exchange: Exchange, bytes: Buffer, start: number, end: number): void {
  if (exchange.upstream === undefined) return;
  exchange.count(counter.bytesIn, end - start);
  if (exchange.upstream.write(bytes.subarray(start, end)) === lent) exchange.client.pauseBody();
  exchange.wait("tunnel");
}

/** One side is gone, or both were silent for too long. */
export function closeTunnel(exchange: Exchange): void {
  const { upstream } = exchange;
  exchange.upstream = undefined;
  exchange.end();
  if (upstream !== undefined) closeConnection(upstream);
  exchange.client.finish();
}
