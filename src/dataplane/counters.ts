/** What one route, one backend or the whole data plane served. */
export interface Counters {
  /** Requests whose head was read and routed. */
  readonly requests: number;
  /** Answers by status class, `1xx` to `5xx`; 101 counts as 1xx. */
  readonly classes: readonly [number, number, number, number, number];
  /** Body bytes from clients and to clients. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Further endpoints or connections tried. */
  readonly retries: number;
  /** Requests (of a route or backend) or client connections (of the total) that are open now. */
  readonly open: number;
}

export interface CountersSnapshot {
  readonly total: Counters;
  readonly routes: ReadonlyMap<string, Counters>;
  readonly backends: ReadonlyMap<string, Counters>;
  /** By the id of a stream: its connections or UDP sessions as `requests`, those without an endpoint among class 5. */
  readonly streams: ReadonlyMap<string, Counters>;
}

/** Positions inside a slot. */
export const counter = { requests: 0, class1: 1, bytesIn: 6, bytesOut: 7, retries: 8, open: 9 } as const;
export const slotSize = 10;
const slotsPerPage = 1024;

/** Pages of slots in shared memory; one worker writes, the parent reads. Slot 0 of page 0 is the worker's total. */
export type CounterPage = Float64Array<SharedArrayBuffer>;

export function createPage(): CounterPage {
  return new Float64Array(new SharedArrayBuffer(slotsPerPage * slotSize * Float64Array.BYTES_PER_ELEMENT));
}

/** Where a slot lies: the page and the offset in it. */
export function placeOf(slot: number): { readonly page: number; readonly offset: number } {
  return { page: Math.floor(slot / slotsPerPage), offset: (slot % slotsPerPage) * slotSize };
}

/** A slot as code that counts holds it. */
export interface CounterSlot {
  readonly page: CounterPage;
  readonly offset: number;
}

export function addTo(slot: CounterSlot, position: number, amount: number): void {
  const at = slot.offset + position;
  slot.page[at] = (slot.page[at] ?? 0) + amount;
}

/** Sums one slot over the workers' pages. */
export function readCounters(workers: readonly (readonly CounterPage[])[], slot: number): Counters {
  const { page, offset } = placeOf(slot);
  const sum = new Float64Array(slotSize);
  for (const pages of workers) {
    const values = pages[page];
    if (values === undefined) continue;
    for (let at = 0; at < slotSize; at += 1) sum[at] = (sum[at] ?? 0) + (values[offset + at] ?? 0);
  }
  const [requests = 0, c1 = 0, c2 = 0, c3 = 0, c4 = 0, c5 = 0, bytesIn = 0, bytesOut = 0, retries = 0, open = 0] = sum;
  return { requests, classes: [c1, c2, c3, c4, c5], bytesIn, bytesOut, retries, open };
}
