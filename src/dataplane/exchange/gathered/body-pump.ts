import { lent, type Connection } from "../../transport/connection.ts";
import type { Exchange } from "../exchange.ts";
import type { Gathered } from "./gather.ts";
import type { GatheredBody } from "./gathered-body.ts";

/** Bodies up to this size, in memory, go out with the head of the request in one write. */
const oneWriteBytes = 64 * 1024;

export function isOneWrite({ body }: Gathered): boolean {
  return body.spool === undefined && body.size <= oneWriteBytes;
}

const blockBytes = 64 * 1024;

/** Moves a gathered body to an endpoint, at its pace, from the beginning. */
export class BodyPump {
  private readonly exchange: Exchange;
  private readonly body: GatheredBody;
  private readonly upstream: Connection;
  private part = 0;
  /** How far it came in the file. */
  private at = 0;
  private block: Buffer | undefined;
  private isReading = false;
  private isOver = false;

  constructor(exchange: Exchange, body: GatheredBody, upstream: Connection) {
    this.exchange = exchange;
    this.body = body;
    this.upstream = upstream;
  }

  /** Nothing more of it goes out. */
  cancel(): void {
    this.isOver = true;
  }

  /** Goes on; to be called again when the connection has taken what it was lent. */
  next(): void {
    const { body, exchange } = this;
    while (!this.isOver && !this.isReading) {
      const part = body.parts[this.part];
      if (part !== undefined) {
        this.part += 1;
        if (this.send(part)) continue;
        return;
      }
      if (this.at >= (body.spool?.size ?? 0)) {
        this.isOver = true;
        exchange.pump = undefined;
        exchange.wait("read");
        return;
      }
      this.readOn();
    }
  }

  private send(bytes: Buffer): boolean {
    const hasRoom = this.upstream.write(bytes) !== lent;
    if (!this.exchange.responding) this.exchange.wait("send");
    return hasRoom && !this.isOver;
  }

  private readOn(): void {
    const { body, exchange } = this;
    this.isReading = true;
    const block = (this.block ??= Buffer.allocUnsafeSlow(blockBytes));
    body.spool?.read(this.at, block, (error, bytes) => {
      this.isReading = false;
      if (this.isOver) return;
      if (error !== undefined || bytes === 0) {
        exchange.fail(500, `the body could not be read again: ${error?.message ?? "the file ends early"}`);
        return;
      }
      this.at += bytes;
      try {
        if (this.send(block.subarray(0, bytes))) this.next();
      } catch (fault) {
        exchange.context.onFault(fault);
        exchange.fail(500, "a defect");
      }
    });
  }
}
