import { writeProxyHeader, type Proxied } from "#wire/proxy-protocol.ts";
import { addTo, counter, type CounterSlot } from "../counters.ts";
import type { Timed } from "../deadline.ts";
import { closeConnection, wordOf } from "../exchange/ending.ts";
import { lent, type Connecting, type Connection, type ConnectionHandler } from "../transport/connection.ts";
import type { StreamContext } from "./context.ts";
import type { EndpointSource, StreamEndpoint } from "./endpoints.ts";
import { countStatus, recordStreamFailure, type StreamPlace } from "./failure.ts";
import type { StreamRules } from "../table.ts";

/** What one connection needs to know of its stream. */
export interface TcpSessionOptions {
  readonly place: StreamPlace;
  readonly target: StreamRules;
  readonly endpoints: EndpointSource;
  /** For the PROXY header that endpoints are sent; asked only when they are. */
  readonly proxied: () => Proxied;
  /** Called once, when all is closed. */
  readonly left: () => void;
}

/**
 * One connection of a client and the one to its endpoint, bytes moved both ways at the pace of the slower side. A side
 * that says it sends no more is passed on as such, and the other goes on sending (half-close). Nothing of what the client
 * sends is read before there is an endpoint.
 */
export class TcpSession implements Timed {
  deadline = 0;
  private readonly context: StreamContext;
  private readonly options: TcpSessionOptions;
  private readonly client: Connection;
  private server: Connection | undefined;
  private connecting: Connecting | undefined;
  private readonly tried: StreamEndpoint[] = [];
  private ended = 0;
  private isOver = false;

  /** Takes a connection that is paused. */
  constructor(context: StreamContext, client: Connection, options: TcpSessionOptions) {
    this.context = context;
    this.client = client;
    this.options = options;
    client.handler = { onData() {}, onEnd() {}, onDrain() {}, onClose: () => this.close() };
    context.deadlines.add(this);
    addTo(options.place.slot, counter.requests, 1);
    addTo(options.place.slot, counter.open, 1);
  }

  begin(): void {
    this.dial();
  }

  /** A stream goes on as long as it likes; it is cut when the time to drain is over. */
  drain(): void {}

  destroy(): void {
    this.close();
  }

  onDeadline(): void {
    if (this.server !== undefined) return this.close();
    this.connecting?.cancel();
    this.connecting = undefined;
    const endpoint = this.tried.at(-1);
    if (endpoint !== undefined) this.failed(endpoint, "connect timed out");
  }

  private dial(): void {
    const { context, options } = this;
    const { target, endpoints } = options;
    const endpoint = this.tried.length < target.tries ? endpoints.pick(this.tried, context.deadlines.now) : undefined;
    if (endpoint === undefined) return this.giveUp();
    this.tried.push(endpoint);
    this.deadline = context.deadlines.now + target.connectMs;
    const { address, port } = endpoint;
    this.connecting = context.dialer.connect({ address, port, tls: false, http2: false, halfOpen: true }, (result) => {
      this.connecting = undefined;
      if (result instanceof Error) this.failed(endpoint, wordOf(result));
      else this.join(result);
    });
  }

  private failed(endpoint: StreamEndpoint, reason: string): void {
    const { context, options } = this;
    endpoint.failedUntil = context.deadlines.now + context.limits.endpointSkipMs;
    const isLast =
      this.tried.length >= options.target.tries ||
      options.endpoints.pick(this.tried, context.deadlines.now) === undefined;
    const { backend } = options.target;
    recordStreamFailure(context, options.place.id, { backend, endpoint, reason, status: isLast ? 502 : 0 });
    if (!isLast) addTo(options.place.slot, counter.retries, 1);
    this.dial();
  }

  private giveUp(): void {
    const { place, target } = this.options;
    if (this.tried.length === 0) {
      recordStreamFailure(this.context, place.id, { backend: target.backend, reason: "no endpoints", status: 503 });
    }
    countStatus(place.slot, this.tried.length === 0 ? 503 : 502);
    this.close();
  }

  private join(server: Connection): void {
    const { client, options } = this;
    const { slot } = options.place;
    this.server = server;
    countStatus(slot, 200);
    this.touch();
    client.handler = new Flow(this, client, server, { slot, position: counter.bytesIn });
    server.handler = new Flow(this, server, client, { slot, position: counter.bytesOut });
    const { sendProxy } = options.target;
    if (sendProxy !== undefined) server.write(writeProxyHeader(sendProxy, options.proxied()));
    client.resume();
  }

  touch(): void {
    this.deadline = this.context.deadlines.now + this.options.target.idleMs;
  }

  /**
   * A side sends no more. When neither does, and everything is on its way, both are closed at once, which says the same as
   * ending the other one too.
   */
  sideEnded(other: Connection): void {
    this.ended += 1;
    this.touch();
    const { client, server } = this;
    if (this.ended === 2 && !client.blocked && server?.blocked === false) this.close();
    else other.end();
  }

  /** One of the two is closed: in order when both had ended, and else the other one goes with it. */
  sideClosed(isWhole: boolean): void {
    if (!isWhole || this.server === undefined || (this.client.closed && this.server.closed)) this.close();
  }

  private close(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.context.deadlines.delete(this);
    this.connecting?.cancel();
    for (const side of [this.client, this.server]) if (side !== undefined && !side.closed) closeConnection(side);
    addTo(this.options.place.slot, counter.open, -1);
    this.options.left();
  }
}

/** One direction. */
class Flow implements ConnectionHandler {
  private readonly session: TcpSession;
  private readonly from: Connection;
  private readonly to: Connection;
  private readonly slot: CounterSlot;
  private readonly position: number;
  private hasEnded = false;

  constructor(
    session: TcpSession,
    from: Connection,
    to: Connection,
    { slot, position }: { readonly slot: CounterSlot; readonly position: number },
  ) {
    this.session = session;
    this.from = from;
    this.to = to;
    this.slot = slot;
    this.position = position;
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.session.touch();
    addTo(this.slot, this.position, end - start);
    const part = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
    if (this.to.write(part) !== lent) return;
    this.from.keepReadBuffer();
    this.from.pause();
  }

  onEnd(): void {
    this.hasEnded = true;
    this.session.sideEnded(this.to);
  }

  /** What was written to `from` has gone: its partner may send on. */
  onDrain(): void {
    this.session.touch();
    this.to.resume();
  }

  onClose(error: NodeJS.ErrnoException | undefined): void {
    this.session.sideClosed(error === undefined && this.hasEnded);
  }
}
