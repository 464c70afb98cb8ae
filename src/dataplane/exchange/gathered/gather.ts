import { ChunkDecoder } from "#wire/http1/chunked.ts";
import { chunkedBody } from "#wire/http1/framing.ts";
import { Edits, joinEdits } from "../../filters/edits.ts";
import type { FieldEdits } from "../../filters/filter.ts";
import type { Exchange } from "../exchange.ts";
import { GatheredBody } from "./gathered-body.ts";

/** A body that is being gathered, or was, and what it takes to read it. */
export interface Gathered {
  readonly body: GatheredBody;
  /** Finds the data between the chunks; absent for a body of a known length. */
  readonly decoder: ChunkDecoder | undefined;
  isWhole: boolean;
}

/**
 * Whether the endpoint is asked only when all of the request's body is here. What came whole, with its length, is; and a
 * backend of HTTP/2 hears each message as it comes, since gRPC speaks both ways at once.
 */
export function gathersFirst({ decision, request, bodySent }: Exchange): boolean {
  const { route, backend } = decision;
  if (route?.entry.gather === undefined || request.framing === 0 || request.upgrade) return false;
  if (bodySent && request.framing !== chunkedBody) return false;
  return backend?.entry.protocol.startsWith("h2") === false;
}

/** Reads all of the body, then goes on. */
export function gather(exchange: Exchange): void {
  const { context, request, early, client, decision } = exchange;
  const space = { kept: context.kept, spool: context.spool, spoolBytes: context.limits.spoolBytes };
  const body = new GatheredBody(decision.route?.entry.gather?.memoryBytes ?? 0, space, {
    hasRoom: () => {
      if (!exchange.ended) client.resumeBody();
    },
    isWhole: () => goOn(exchange),
    failed: (reason) => exchange.overflow(reason),
  });
  const decoder = request.framing === chunkedBody ? new ChunkDecoder() : undefined;
  exchange.gathered = { body, decoder, isWhole: false };
  exchange.wait("client");
  if (request.expectsContinue && !exchange.hasContinued) client.sendContinue();
  exchange.hasContinued = true;
  if (decision.live !== undefined) decision.live.isStale = true;
  addToGathered(exchange, request.bytes, early.start, early.end, early.last);
  if (!exchange.ended && !early.last) client.resumeBody();
}

/** More of the body from the client. */
export function addToGathered(exchange: Exchange, bytes: Buffer, start: number, end: number, last: boolean): void {
  const { gathered } = exchange;
  if (gathered === undefined) return;
  const { body, decoder } = gathered;
  let goesOn = true;
  if (decoder === undefined) goesOn = body.add(bytes, start, end);
  else {
    // Whoever read them from the client has checked the chunks; here they are only taken apart.
    decoder.onData = (from, to) => (goesOn = body.add(bytes, from, to));
    decoder.feed(bytes, start, end);
    decoder.onData = undefined;
  }
  if (exchange.ended) return;
  if (last) body.end();
  else {
    if (!goesOn) exchange.client.pauseBody();
    exchange.wait("client");
  }
}

function goOn(exchange: Exchange): void {
  const { gathered, context, decision } = exchange;
  if (gathered === undefined || exchange.ended) return;
  gathered.isWhole = true;
  try {
    const refusal = decision.backend?.refusal();
    if (refusal === undefined) exchange.goOut(false);
    else exchange.overflow(refusal);
  } catch (error) {
    context.onFault(error);
    exchange.fail(500, "a defect");
  }
}

/** The fields that the endpoint is told: of a body whose chunks were taken apart, its length. */
export function gatheredFields({ requestFields }: Exchange, { body, decoder }: Gathered): FieldEdits | undefined {
  if (decoder === undefined) return requestFields;
  const length = new Edits();
  length.setLength(body.size);
  return joinEdits(requestFields, length);
}
