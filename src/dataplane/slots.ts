import { createPage, gauges, placeOf, readCounters, slotSize, type CounterPage } from "./counters.ts";
import type { Counters, CountersSnapshot, EndpointCounters } from "./counters.ts";

/**
 * Which route, backend and endpoint counts where. The parent keeps the book; workers get the numbers with the entries they belong
 * to. A slot is free again when the last entry of its name has left.
 */
export class SlotBook {
  readonly pages: readonly CounterPage[][];
  private readonly slots = new Map<string, { readonly slot: number; users: number }>();
  private readonly free: number[] = [];
  private next = 1;

  constructor(workers: number) {
    this.pages = Array.from({ length: workers }, () => [createPage()]);
  }

  acquire(id: string): number {
    const known = this.slots.get(id);
    if (known !== undefined) {
      known.users += 1;
      return known.slot;
    }
    const slot = this.free.shift() ?? this.next++;
    const { page, offset } = placeOf(slot);
    for (const pages of this.pages) {
      while (pages.length <= page) pages.push(createPage());
      pages[page]?.fill(0, offset, offset + slotSize);
    }
    this.slots.set(id, { slot, users: 1 });
    return slot;
  }

  release(id: string): void {
    const known = this.slots.get(id);
    if (known === undefined) return;
    known.users -= 1;
    if (known.users > 0) return;
    this.slots.delete(id);
    this.free.push(known.slot);
  }

  slotOf(id: string): number {
    const known = this.slots.get(id);
    if (known === undefined) throw new Error(`no counter slot was taken for ${id}`);
    return known.slot;
  }

  snapshot(): CountersSnapshot {
    const maps = {
      route: new Map<string, Counters>(),
      backend: new Map<string, Counters>(),
      stream: new Map<string, Counters>(),
      endpoint: new Map<string, Counters>(),
    };
    for (const [id, { slot }] of this.slots) {
      const at = id.indexOf(" ");
      maps[id.slice(0, at) as keyof typeof maps].set(id.slice(at + 1), readCounters(this.pages, slot));
    }
    const { route: routes, backend: backends, stream: streams } = maps;
    const endpoints = [...maps.endpoint].map(([name, counters]): EndpointCounters => {
      const split = name.lastIndexOf(" ");
      return { backend: name.slice(0, split), endpoint: name.slice(split + 1), counters };
    });
    return { total: readCounters(this.pages, 0), routes, backends, streams, endpoints };
  }

  /** A worker died with its connections: what it counted stays, what it held open is no more. */
  closeAll(worker: number): void {
    for (const page of this.pages[worker] ?? []) {
      for (let offset = 0; offset < page.length; offset += slotSize) {
        for (const gauge of gauges) page[offset + gauge] = 0;
      }
    }
  }
}
