import { createRoundRobin } from "../balance/round-robin.ts";
import type { StreamTarget } from "../table.ts";

/** One endpoint of a stream, and how it did lately. */
export interface StreamEndpoint {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Passed over until then, while others are there; in `Deadlines.now` time. */
  failedUntil: number;
}

/** Who knows the endpoints of a stream. */
export interface EndpointSource {
  /** The next one in turn, none of `tried`, and none that just failed as long as there is another. */
  pick(tried: readonly StreamEndpoint[], now: number): StreamEndpoint | undefined;
}

/** The endpoints of a stream as a worker turns through them. What is known of one survives changes of the others. */
export class StreamEndpoints implements EndpointSource {
  private list: readonly StreamEndpoint[] = [];
  private readonly order;

  /** `start` sets workers apart, so that they do not all begin with the first endpoint. */
  constructor(target: StreamTarget, start: number) {
    this.order = createRoundRobin<StreamEndpoint>(start);
    this.update(target);
  }

  update({ endpoints }: StreamTarget): void {
    const known = new Map(this.list.map((endpoint) => [endpoint.name, endpoint]));
    this.list = endpoints.map(({ address, port }) => {
      const name = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
      return known.get(name) ?? { name, address, port, failedUntil: 0 };
    });
  }

  has(endpoint: StreamEndpoint): boolean {
    return this.list.includes(endpoint);
  }

  pick(tried: readonly StreamEndpoint[], now: number): StreamEndpoint | undefined {
    const fresh = (endpoint: StreamEndpoint) => !tried.includes(endpoint);
    return (
      this.order.next(this.list, (endpoint) => endpoint.failedUntil <= now && fresh(endpoint)) ??
      this.order.next(this.list, fresh)
    );
  }
}
