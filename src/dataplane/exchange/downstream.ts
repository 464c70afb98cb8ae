import type { HeadTable } from "#wire/http1/head.ts";
import type { FieldEdits } from "../filters/filter.ts";
import type { Answer } from "../page.ts";
import type { WriteResult } from "../transport/connection.ts";

/** A response head as an endpoint sent it. */
export interface ResponseHead {
  readonly bytes: Buffer;
  readonly headEnd: number;
  readonly head: HeadTable;
  /** As `responseFraming` says it. */
  readonly framing: number;
  readonly edits: FieldEdits | undefined;
}

/**
 * The client's side of an exchange, whatever protocol the client speaks. Calls come in this order: `answer`, or
 * `sendHead`, any number of `sendBody`, then `finish`; `abort` at any point instead.
 */
export interface Downstream {
  /** Sends a head and the first bytes of the body, `[headEnd, bodyEnd)`, which lie behind it. */
  sendHead(response: ResponseHead, bodyEnd: number): WriteResult;
  sendBody(bytes: Buffer, start: number, end: number): WriteResult;
  /** The response is whole. */
  finish(): void;
  /** The proxy answers itself. */
  answer(answer: Answer, edits: FieldEdits | undefined): void;
  /** Nothing sensible can be sent any more. */
  abort(): void;
  /** Tells a client that waits for it to send the body. */
  sendContinue(): void;
  /** 101 was sent: from now on bytes go through as they are. */
  switchProtocols(): void;
  pauseBody(): void;
  resumeBody(): void;
  /** When `exchange.onDeadline` is to be called, unless it is moved before; milliseconds from now, 0 for never. */
  expectWithin(ms: number): void;
}
