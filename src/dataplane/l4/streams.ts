import type { CounterSlot } from "../counters.ts";
import type { StreamEntry } from "../table.ts";
import type { StreamContext } from "./context.ts";
import type { StreamListener } from "./listener.ts";
import { TcpListener, type TcpListenerOptions } from "./tcp-listener.ts";
import { UdpListener } from "./udp-listener.ts";

export interface StreamsOptions extends Omit<TcpListenerOptions, "slot"> {
  readonly slotOf: (id: string) => CounterSlot;
}

/** How long after a port could not be had it is tried again. */
const retryMs = 1_000;

/** A stream that is in the table. */
interface Placed {
  entry: StreamEntry;
  readonly slot: CounterSlot;
  listener: StreamListener;
}

/** The streams as one worker serves them. */
export class Streams {
  private readonly context: StreamContext;
  private readonly options: StreamsOptions;
  private readonly placed = new Map<string, Placed>();

  constructor(context: StreamContext, options: StreamsOptions) {
    this.context = context;
    this.options = options;
  }

  /** Resolves when all new ports accept, or could not be had; those are tried again. */
  async apply(changes: readonly (readonly [id: string, entry: StreamEntry | undefined])[]): Promise<void> {
    await Promise.all(changes.map(([id, entry]) => this.put(id, entry)));
  }

  /** Accepts no more; connections go on. */
  stop(): void {
    for (const { listener } of this.placed.values()) listener.stop();
    this.placed.clear();
  }

  private async put(id: string, entry: StreamEntry | undefined): Promise<void> {
    const known = this.placed.get(id);
    if (entry === undefined) {
      known?.listener.destroy();
      this.placed.delete(id);
      return;
    }
    if (known !== undefined) {
      known.entry = entry;
      known.listener.update(entry);
      return;
    }
    const slot = this.options.slotOf(`stream ${id}`);
    const placed: Placed = { entry, slot, listener: this.listenerOf(entry, slot) };
    this.placed.set(id, placed);
    await this.open(placed);
  }

  private listenerOf(entry: StreamEntry, slot: CounterSlot): StreamListener {
    const options = { ...this.options, slot };
    return entry.protocol === "tcp"
      ? new TcpListener(this.context, entry, options)
      : new UdpListener(this.context, entry, options);
  }

  private async open(placed: Placed): Promise<void> {
    const { context } = this;
    const { listener } = placed;
    try {
      await listener.listen();
    } catch (error) {
      listener.destroy();
      const { id } = placed.entry;
      if (this.placed.get(id) !== placed) return;
      const { code } = error as NodeJS.ErrnoException;
      context.log.error({ stream: id, code, retryInMs: retryMs }, "the port of a stream cannot be had, trying again");
      context.clock.after(retryMs, () => {
        if (this.placed.get(id) !== placed) return;
        placed.listener = this.listenerOf(placed.entry, placed.slot);
        void this.open(placed);
      });
    }
  }
}
