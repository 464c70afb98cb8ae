import { counter, createPage, gauges, placeOf, readCounters, slotSize, type CounterPage } from "./counters.ts";
import type { Counters, CountersSnapshot, EndpointCounters } from "./counters.ts";

/**
 * Which route, backend and endpoint counts where. The parent keeps the book; workers get the numbers with the entries they belong
 * to. A slot is free again when the last entry of its name has left, every worker knows that it has, and the last request
 * is over that was begun by it: until then it counts, and what it counts is nobody else's.
 */
export class SlotBook {
  readonly pages: readonly CounterPage[][];
  private readonly slots = new Map<string, { readonly slot: number; users: number }>();
  private readonly free: number[] = [];
  private leaving: { readonly slot: number; readonly since: number }[] = [];
  private told = 0;
  private changes = 0;
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
    this.leaving.push({ slot: known.slot, since: this.changes });
  }

  /** A change begins: what it releases is in use until `settle` is called with the number that this returns. */
  begin(): number {
    this.reclaim();
    this.changes += 1;
    return this.changes;
  }

  /** Every worker has taken in the change of this number, and so all before it. */
  settle(change: number): void {
    this.told = Math.max(this.told, change);
  }

  /** Takes back what is no longer in use. */
  private reclaim(): void {
    if (this.leaving.length === 0) return;
    this.leaving = this.leaving.filter(({ slot, since }) => {
      if (since > this.told || this.isOpen(slot)) return true;
      this.free.push(slot);
      return false;
    });
  }

  private isOpen(slot: number): boolean {
    const { page, offset } = placeOf(slot);
    return this.pages.some((pages) => (pages[page]?.[offset + counter.open] ?? 0) > 0);
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
