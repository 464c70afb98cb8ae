import { createSocket, type Socket, type SocketOptions } from "node:dgram";
import { isIP } from "node:net";
import { addTo, counter } from "../counters.ts";
import type { Timed } from "../deadline.ts";
import { wordOf } from "../exchange/ending.ts";
import type { StreamTarget } from "../table.ts";
import type { StreamContext } from "./context.ts";
import type { StreamEndpoint, StreamEndpoints } from "./endpoints.ts";
import { countStatus, recordStreamFailure, type StreamPlace } from "./failure.ts";

export interface UdpSessionOptions {
  readonly place: StreamPlace;
  readonly target: StreamTarget;
  readonly endpoints: StreamEndpoints;
  /** Sends to the client. */
  readonly answer: (bytes: Buffer) => void;
  /** Called once, when it is over. */
  readonly left: () => void;
}

/** The resolver of a datagram socket. */
type DatagramLookup = NonNullable<SocketOptions["lookup"]>;

/** Addresses stand for themselves, at once: `dgram` asks a resolver for every datagram otherwise. */
export const lookupAddress: DatagramLookup = (address, _options, done) => done(null, address, isIP(address));

/** The datagrams of one client, with a socket of its own to the endpoint, by which the answers find back. */
export class UdpSession implements Timed {
  deadline: number;
  /** In `Deadlines.now` time. */
  heardAt = 0;
  readonly endpoint: StreamEndpoint | undefined;
  private readonly context: StreamContext;
  private readonly options: UdpSessionOptions;
  private socket: Socket | undefined;
  private held: Buffer[] | undefined = [];
  private isOver = false;

  constructor(context: StreamContext, options: UdpSessionOptions) {
    const { place, target, endpoints } = options;
    this.context = context;
    this.options = options;
    this.deadline = context.deadlines.now + target.idleMs;
    context.deadlines.add(this);
    addTo(place.slot, counter.requests, 1);
    addTo(place.slot, counter.open, 1);
    this.endpoint = endpoints.pick([], context.deadlines.now);
    if (this.endpoint === undefined) {
      // The session stays until it is silent, so that a client that tries on and on is told of once.
      this.held = undefined;
      countStatus(place.slot, 503);
      const { backend } = target;
      recordStreamFailure(context, place.id, { backend, reason: "no endpoints", status: 503 });
    } else this.connect(this.endpoint);
  }

  fromClient(bytes: Buffer): void {
    const { context, options, socket, held } = this;
    this.deadline = context.deadlines.now + options.target.idleMs;
    addTo(options.place.slot, counter.bytesIn, bytes.length);
    if (held !== undefined) {
      if (held.length < context.limits.datagramsHeld) held.push(bytes);
    } else socket?.send(bytes, 0, bytes.length);
  }

  onDeadline(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.held = undefined;
    this.context.deadlines.delete(this);
    this.socket?.close();
    this.socket = undefined;
    addTo(this.options.place.slot, counter.open, -1);
    this.options.left();
  }

  private connect(endpoint: StreamEndpoint): void {
    const { context, options } = this;
    const { slot } = options.place;
    const family = isIP(endpoint.address);
    const socket = createSocket({
      type: family === 6 ? "udp6" : "udp4",
      lookup: family === 0 ? (name, _family, done) => this.resolve(name, done) : lookupAddress,
    });
    this.socket = socket;
    socket.on("message", (bytes) => {
      this.deadline = context.deadlines.now + options.target.idleMs;
      addTo(slot, counter.bytesOut, bytes.length);
      options.answer(bytes);
    });
    socket.on("error", (error) => this.failed(endpoint, error));
    socket.connect(endpoint.port, endpoint.address, () => {
      if (this.isOver) return;
      countStatus(slot, 200);
      const { held = [] } = this;
      this.held = undefined;
      for (const bytes of held) socket.send(bytes, 0, bytes.length);
    });
  }

  private resolve(name: string, done: Parameters<DatagramLookup>[2]): void {
    this.context.lookup(name, { family: 4 }, (error, found, family = 4) => {
      done(error, typeof found === "string" ? found : "", family);
    });
  }

  /** The endpoint's machine said that nobody is there, or its name is unknown: the next datagram tries another one. */
  private failed(endpoint: StreamEndpoint, error: NodeJS.ErrnoException): void {
    const { context, options } = this;
    // A datagram that is too long for the way says nothing about the endpoint.
    if (this.isOver || error.code === "EMSGSIZE") return;
    endpoint.failedUntil = context.deadlines.now + context.limits.endpointSkipMs;
    if (this.held !== undefined) countStatus(options.place.slot, 502);
    const { backend } = options.target;
    const reason = wordOf(error);
    recordStreamFailure(context, options.place.id, { backend, endpoint, reason, status: 502 });
    this.destroy();
  }
}
