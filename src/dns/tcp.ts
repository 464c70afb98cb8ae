import { createServer, isIPv6, type Server, type Socket } from "node:net";
import type { Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { outSize, type Answerer, type Source } from "./answer.ts";
import { count, type DnsCounters } from "./metrics.ts";
import type { Listener } from "./udp.ts";

export interface TcpLimits {
  readonly connections: number;
  /** Of one client. */
  readonly perClient: number;
  /** Questions of one connection that may wait for others at the same time. */
  readonly pipeline: number;
  /** Milliseconds without a whole question: before the first, and between later ones. */
  readonly firstIdle: number;
  readonly idle: number;
  /** Bytes of answers that a client may leave unread. */
  readonly unread: number;
}

export const tcpLimits: TcpLimits = {
  connections: 1_000,
  perClient: 100,
  pipeline: 100,
  firstIdle: 3_000,
  idle: 10_000,
  unread: 1 << 18,
};

/** Answers at one TCP address: many questions a connection, each answered as soon as its answer is known (RFC 7766). */
export async function listenTcp(
  { address, port, share = false }: { address: string; port: number; share?: boolean },
  context: {
    answer: Answerer;
    log: Log;
    clock: Clock;
    counters: DnsCounters;
    limits?: TcpLimits;
    /** What a configuration says now, in place of those limits. */
    chosen?: () => Pick<TcpLimits, "connections" | "idle">;
  },
): Promise<Listener> {
  const { log, counters } = context;
  const open = new Set<Socket>();
  const clients = new Map<string, number>();
  /** One for all connections: an answer is copied out before the next is written. */
  const out = Buffer.alloc(outSize);
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const limits = { ...(context.limits ?? tcpLimits), ...context.chosen?.() };
    const client = socket.remoteAddress ?? "";
    const ofClient = clients.get(client) ?? 0;
    if (open.size >= limits.connections || ofClient >= limits.perClient) {
      count(counters.dropped, "connections");
      socket.destroy();
      return;
    }
    open.add(socket);
    clients.set(client, ofClient + 1);
    socket.once("close", () => {
      open.delete(socket);
      const left = (clients.get(client) ?? 1) - 1;
      if (left === 0) clients.delete(client);
      else clients.set(client, left);
    });
    const family = isIPv6(address) ? 6 : 4;
    serve(
      socket,
      { transport: "tcp", family, address: client, port: socket.remotePort ?? 0 },
      { ...context, limits, out },
    );
  });
  await listen(server, { address, port, share });
  server.on("error", (error) => log.warn({ address, port, error: error.message }, "DNS over TCP"));
  const bound = server.address();
  return {
    port: typeof bound === "object" && bound !== null ? bound.port : port,
    stop() {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function serve(
  socket: Socket,
  source: Source,
  { answer, clock, limits, out }: { answer: Answerer; clock: Clock; limits: TcpLimits; out: Buffer },
): void {
  let received: Buffer = Buffer.alloc(0);
  let waiting = 0;
  let ended = false;
  let cancelIdle = clock.after(limits.firstIdle, () => socket.destroy());

  function rest(): void {
    cancelIdle();
    cancelIdle = clock.after(limits.idle, () => socket.destroy());
  }

  function send(response: Uint8Array): void {
    if (socket.destroyed) return;
    const framed = Buffer.allocUnsafe(2 + response.length);
    framed.writeUInt16BE(response.length);
    framed.set(response, 2);
    socket.write(framed);
  }

  const busy = () => waiting >= limits.pipeline || socket.writableLength > limits.unread;

  function later(response: Uint8Array): void {
    waiting -= 1;
    send(response);
    proceed();
  }

  /** Takes the questions that are whole, as long as their answers find room; the rest waits unread. */
  function proceed(): void {
    while (!busy() && received.length >= 2) {
      const length = received.readUInt16BE(0);
      if (received.length < 2 + length) break;
      const packet = received.subarray(2, 2 + length);
      received = received.subarray(2 + length);
      rest();
      const written = answer(packet, source, out, later);
      if (written > 0) send(out.subarray(0, written));
      else if (written === 0) waiting += 1;
      else {
        // A packet that gets no answer over UDP has no business on a connection.
        socket.destroy();
        return;
      }
    }
    if (busy()) socket.pause();
    else if (socket.isPaused()) socket.resume();
    if (ended && waiting === 0) socket.end();
  }

  socket.on("data", (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    proceed();
  });
  socket.on("drain", proceed);
  socket.on("end", () => {
    ended = true;
    if (waiting === 0) socket.end();
  });
  socket.on("error", () => socket.destroy());
  socket.once("close", () => cancelIdle());
}

function listen(
  server: Server,
  { address, port, share }: { address: string; port: number; share: boolean },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port, ipv6Only: isIPv6(address), reusePort: share, backlog: 256 }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
