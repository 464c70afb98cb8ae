import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { Log } from "#base/log.ts";
import { outSize, type Answerer, type Source } from "./answer.ts";
import { count, type DnsCounters } from "./metrics.ts";

export interface Listener {
  readonly port: number;
  stop(): Promise<void>;
}

/** Replies are written here one behind the other: the kernel may still read one while the next is written. */
const ringSize = 1 << 20;
/** Replies that the kernel has not taken yet; more are dropped, as a full socket would drop them. */
const queueLimit = 200;
const bufferSize = 4 << 20;

/** Answers at one UDP address. */
export async function listenUdp(
  { address, port, share = false }: { address: string; port: number; share?: boolean },
  { answer, log, counters }: { answer: Answerer; log: Log; counters: DnsCounters },
): Promise<Listener> {
  const family = isIPv6(address) ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? "udp6" : "udp4",
    ipv6Only: family === 6,
    reusePort: share,
    // Replies go to addresses, never to names.
    lookup: (host, _options, done) => done(null, host, family),
  });
  const ring = Buffer.alloc(ringSize);
  let at = 0;

  function reply(bytes: Uint8Array, to: { address: string; port: number }): void {
    if (socket.getSendQueueCount() > queueLimit) return count(counters.dropped, "congestion");
    socket.send(bytes, to.port, to.address);
  }

  socket.on("message", (packet, from) => {
    // Port 0 cannot be answered.
    if (from.port === 0) return;
    if (at + outSize > ringSize) at = 0;
    const source: Source = { transport: "udp", family, address: from.address, port: from.port };
    const length = answer(packet, source, ring.subarray(at), (response) => {
      if (!closed) reply(response, from);
    });
    if (length <= 0) return;
    reply(ring.subarray(at, at + length), from);
    at += length;
  });

  let closed = false;
  await bind(socket, address, port);
  socket.on("error", (error) => log.warn({ address, port, error: error.message }, "DNS over UDP"));
  try {
    socket.setRecvBufferSize(bufferSize);
    socket.setSendBufferSize(bufferSize);
  } catch (error) {
    log.debug({ address, error: String(error) }, "the kernel keeps its own buffer sizes");
  }
  return {
    port: socket.address().port,
    stop() {
      closed = true;
      return new Promise((resolve) => socket.close(() => resolve()));
    },
  };
}

function bind(socket: Socket, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      socket.close();
      reject(error);
    };
    socket.once("error", failed);
    socket.bind({ address, port }, () => {
      socket.off("error", failed);
      resolve();
    });
  });
}
