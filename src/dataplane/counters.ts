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
  /** Requests that a backend's limits refused. */
  readonly overflows: number;
  /** How often an endpoint was left out because it kept failing. */
  readonly ejections: number;
  /** Endpoints that are left out now, each counted by every worker that does so. */
  readonly ejected: number;
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
export const counter = {
  requests: 0,
  class1: 1,
  bytesIn: 6,
  bytesOut: 7,
  retries: 8,
  overflows: 9,
  ejections: 10,
  ejected: 11,
  open: 12,
} as const;
export const slotSize = 13;
/** What tells of now and not of so far: none of it outlives the worker that counted. */
export const gauges = [counter.ejected, counter.open] as const;
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
  const at = (position: number) => sum[position] ?? 0;
  const { class1 } = counter;
  return {
    requests: at(counter.requests),
    classes: [at(class1), at(class1 + 1), at(class1 + 2), at(class1 + 3), at(class1 + 4)],
    bytesIn: at(counter.bytesIn),
    bytesOut: at(counter.bytesOut),
    retries: at(counter.retries),
    overflows: at(counter.overflows),
    ejections: at(counter.ejections),
    ejected: at(counter.ejected),
    open: at(counter.open),
  };
}
