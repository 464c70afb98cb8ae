import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { CounterSlot } from "../counters.ts";
import type { StreamEntry } from "../table.ts";
import type { StreamContext } from "./context.ts";
import { StreamEndpoints } from "./endpoints.ts";
import type { StreamListener, StreamListenerOptions } from "./listener.ts";
import { lookupAddress, UdpSession } from "./udp-session.ts";

export interface UdpListenerOptions extends StreamListenerOptions {
  readonly slot: CounterSlot;
}

/**
 * A UDP port. The datagrams of one client (address and port) are a session and go to one endpoint; its answers go back to
 * that client. Of more sessions than are held, the one that was silent longest makes room.
 */
export class UdpListener implements StreamListener {
  private entry: StreamEntry;
  private readonly context: StreamContext;
  private readonly options: UdpListenerOptions;
  private readonly endpoints: StreamEndpoints;
  private socket: Socket;
  /** By the client's address and port. */
  private readonly clients = new Map<string, Map<number, UdpSession>>();
  /** The one that was heard of last stands last, as fine as the coarse clock tells. */
  private readonly sessions = new Set<UdpSession>();

  constructor(context: StreamContext, entry: StreamEntry, options: UdpListenerOptions) {
    this.context = context;
    this.entry = entry;
    this.options = options;
    this.endpoints = new StreamEndpoints(entry.target, options.start);
    this.socket = createSocket({
      type: isIPv6(options.host) ? "udp6" : "udp4",
      reusePort: options.shared,
      lookup: lookupAddress,
    });
    this.socket.on("message", (bytes, from) => this.received(bytes, from));
  }

  listen(): Promise<void> {
    const { socket, options, entry } = this;
    return new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.bind({ address: options.host, port: entry.port, exclusive: true }, () => {
        socket.off("error", reject);
        // An answer that cannot be delivered is lost, as datagrams are.
        socket.on("error", () => {});
        resolve();
      });
    });
  }

  update(entry: StreamEntry): void {
    this.entry = entry;
    this.endpoints.update(entry.target);
    for (const session of this.sessions) {
      if (session.endpoint !== undefined && !this.endpoints.has(session.endpoint)) session.destroy();
    }
  }

  stop(): void {
    this.destroy();
  }

  destroy(): void {
    for (const session of this.sessions) session.destroy();
    try {
      this.socket.close();
    } catch {
      // It never was open.
    }
  }

  private received(bytes: Buffer, { address, port }: RemoteInfo): void {
    // Nobody can be answered at port 0.
    if (port === 0) return;
    const { now } = this.context.deadlines;
    let session = this.clients.get(address)?.get(port);
    if (session === undefined) {
      if (this.sessions.size >= this.context.limits.datagramSessions) this.sessions.values().next().value?.destroy();
      session = this.open(address, port);
    } else if (session.heardAt !== now) {
      this.sessions.delete(session);
      this.sessions.add(session);
    }
    session.heardAt = now;
    session.fromClient(bytes);
  }

  private open(address: string, port: number): UdpSession {
    const { entry, options, endpoints, socket, sessions, clients } = this;
    const session: UdpSession = new UdpSession(this.context, {
      place: { id: entry.id, slot: options.slot },
      target: entry.target,
      endpoints,
      answer: (bytes) => socket.send(bytes, 0, bytes.length, port, address),
      left() {
        sessions.delete(session);
        const others = clients.get(address);
        others?.delete(port);
        if (others?.size === 0) clients.delete(address);
      },
    });
    sessions.add(session);
    const others = clients.get(address);
    if (others === undefined) clients.set(address, new Map([[port, session]]));
    else others.set(port, session);
    return session;
  }
}
