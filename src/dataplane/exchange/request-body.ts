import { counter } from "../counters.ts";
import { lent, sent, type WriteResult } from "../transport/connection.ts";
import type { Exchange } from "./exchange.ts";
import { addToGathered } from "./gathered/gather.ts";

const crlf = Buffer.from("\r\n", "latin1");

/** A part of the request body that came together with its head. */
export interface EarlyBody {
  readonly start: number;
  readonly end: number;
  /** Trailers were left out: the end of the chunked body is to be written in their place. */
  readonly cut: boolean;
  /** The body is whole. */
  readonly last: boolean;
}

/** More of the request's body. The client is paused whenever this cannot take it. */
export function sendRequestBody(
  exchange: Exchange,
  bytes: Buffer,
  start: number,
  end: number,
  { last, cut }: { readonly last: boolean; readonly cut: boolean },
): void {
  const { upstream, gathered } = exchange;
  if (upstream === undefined && gathered === undefined) return;
  exchange.bodySent = last;
  exchange.count(counter.bytesIn, end - start);
  copyBody(exchange, bytes, start, end, { last, cut });
  if (gathered !== undefined) addToGathered(exchange, bytes, start, end, last);
  if (gathered !== undefined || upstream === undefined) return;
  exchange.attempts?.keep(bytes, start, end);
  if (last && cut) exchange.attempts?.keep(crlf, 0, crlf.length);
  let result: WriteResult = end > start ? upstream.write(bytes.subarray(start, end)) : sent;
  if (last && cut) result = upstream.write(crlf) === lent ? lent : result;
  if (result === lent) {
    exchange.client.pauseBody();
    exchange.wait("send");
  } else exchange.wait(last ? "read" : "client");
}

/** Where the route asks for a copy of the request, its body goes there as well. */
export function copyBody(
  exchange: Exchange,
  bytes: Buffer,
  start: number,
  end: number,
  part: { last: boolean; cut: boolean },
): void {
  exchange.decision.live?.copy?.add(bytes, start, end, part);
}
