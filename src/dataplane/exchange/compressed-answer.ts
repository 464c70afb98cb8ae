import { Compressor, editFields, type Plan, type ReadResponse } from "./compressor.ts";
import type { Exchange } from "./exchange.ts";

/** What compresses the body by `plan`; `undefined` where the answer only says that it might have been. */
export function compressorFor(exchange: Exchange, plan: Plan, response: ReadResponse): Compressor | undefined {
  const { live } = exchange.decision;
  const { treatment } = plan;
  if (live === undefined) return undefined;
  editFields(treatment, live, response);
  if (typeof treatment === "string") return undefined;
  exchange.compressor = new Compressor(treatment, plan, {
    send: (bytes) => {
      exchange.wait(exchange.body.done ? "client" : "read");
      return exchange.client.sendBody(bytes, 0, bytes.length);
    },
    drained: () => exchange.upstream?.resume(),
    ended: () => exchange.complete(),
    failed: () => exchange.fail(502, "the response could not be compressed"),
  });
  return exchange.compressor;
}

/** Bytes of the body, at the pace of compressor and client. */
export function compress(
  exchange: Exchange,
  compressor: Compressor,
  bytes: Buffer,
  start: number,
  end: number,
  excess: boolean,
): void {
  const hasRoom = compressor.write(bytes, start, end);
  if (excess) exchange.reusable = false;
  if (exchange.body.done) {
    compressor.end();
    exchange.wait("client");
  } else if (hasRoom) exchange.wait("read");
  else {
    exchange.upstream?.pause();
    exchange.wait("client");
  }
}
