import { counter, createPage, placeOf, readCounters, slotSize, type CounterPage } from "./counters.ts";
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
    const routes = new Map<string, Counters>();
    const backends = new Map<string, Counters>();
    const endpoints: EndpointCounters[] = [];
    for (const [id, { slot }] of this.slots) {
      const counters = readCounters(this.pages, slot);
      const name = id.slice(id.indexOf(" ") + 1);
      const split = name.lastIndexOf(" ");
      if (id.startsWith("route ")) routes.set(name, counters);
      else if (id.startsWith("backend ")) backends.set(name, counters);
      else endpoints.push({ backend: name.slice(0, split), endpoint: name.slice(split + 1), counters });
    }
    return { total: readCounters(this.pages, 0), routes, backends, endpoints };
  }

  /** A worker died with its connections: what it counted stays, what it held open is no more. */
  closeAll(worker: number): void {
    for (const page of this.pages[worker] ?? []) {
      for (let offset: number = counter.open; offset < page.length; offset += slotSize) page[offset] = 0;
    }
  }
}
