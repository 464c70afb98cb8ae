import {
  answerCells,
  answerOf,
  answersAt,
  heldAnswers,
  readAnswers,
  restKey,
  type AnswerCount,
} from "./observe/answers.ts";
import type { BlockPage, Blocks } from "./observe/blocks.ts";
import { histogramCells, histogramsAt, readHistograms, type Histograms } from "./observe/histograms.ts";

/** What one route, one backend, one endpoint or the whole data plane served. */
export interface Counters {
  /** Requests whose head was read and routed; of an endpoint, those it was tried for. */
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
  /** Requests (of a route, backend or endpoint) or client connections (of the total) that are open now. */
  readonly open: number;
  /** Tries that brought no answer of an endpoint. */
  readonly failures: number;
  /** Of the total: connections that clients made. */
  readonly accepted: number;
  /** Requests that are over, by method and status; 499 is a client that left before it was answered. */
  readonly answers: readonly AnswerCount[];
  readonly histograms: Histograms;
  /** Of a route: the same by method and status, as far as there was memory to tell them apart. */
  readonly observed: readonly ObservedAnswer[];
}

export interface ObservedAnswer extends Pick<AnswerCount, "method" | "status"> {
  readonly histograms: Histograms;
}

export interface CountersSnapshot {
  readonly total: Counters;
  readonly routes: ReadonlyMap<string, Counters>;
  readonly backends: ReadonlyMap<string, Counters>;
  /** By the id of a stream: its connections or UDP sessions as `requests`, those without an endpoint among class 5. */
  readonly streams: ReadonlyMap<string, Counters>;
  readonly endpoints: readonly EndpointCounters[];
}

export interface EndpointCounters {
  readonly backend: string;
  /** `10.0.0.3:80` */
  readonly endpoint: string;
  readonly counters: Counters;
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
  failures: 13,
  /** Of the total alone: connections that clients made. */
  accepted: 14,
} as const;

/** Numbers, then answers, then histograms: what a slot takes is fixed, whatever is asked for. */
export const slotSize = answersAt + answerCells + histogramCells;
/** What tells of now and not of so far: none of it outlives the worker that counted. */
export const gauges = [counter.ejected, counter.open] as const;
const slotsPerPage = 512;

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
  /** For histograms of each answer; absent where they are not told apart. */
  readonly blocks?: Blocks | undefined;
}

/** For what is counted nowhere. */
export function createSlot(): CounterSlot {
  return {
    page: new Float64Array(new SharedArrayBuffer(slotSize * Float64Array.BYTES_PER_ELEMENT)),
    offset: 0,
    blocks: undefined,
  };
}

export function addTo(slot: CounterSlot, position: number, amount: number): void {
  const at = slot.offset + position;
  slot.page[at] = (slot.page[at] ?? 0) + amount;
}

/** Sums one slot over the workers' pages, and what its answers have in the workers' blocks. */
export function readCounters(
  workers: readonly (readonly CounterPage[])[],
  slot: number,
  blocks: readonly BlockPage[] = [],
): Counters {
  const { page, offset } = placeOf(slot);
  const slots: Held[] = [];
  let isIdle = true;
  for (const [worker, pages] of workers.entries()) {
    const values = pages[page];
    if (values === undefined) continue;
    slots.push({ values: values.subarray(offset, offset + slotSize), blocks: blocks[worker] });
    if (values[offset + counter.requests] !== 0 || values[offset + counter.open] !== 0) isIdle = false;
  }
  return isIdle && slot !== 0 ? idle : sumCounters(slots);
}

/** What one worker holds of a slot. */
interface Held {
  readonly values: Float64Array;
  readonly blocks: BlockPage | undefined;
}

function sumCounters(slots: readonly Held[]): Counters {
  const sum = new Float64Array(slotSize);
  for (const { values } of slots) addAll(sum, 0, values);
  // What no block was left for is the rest's.
  const byAnswer = new Map<number, Float64Array>([[restKey, sum.slice(histogramsAt)]]);
  for (const { values, blocks } of slots) {
    for (const { key, block } of heldAnswers(values)) {
      if (block === 0 || blocks === undefined) continue;
      const start = 1 + (block - 1) * histogramCells;
      const found = blocks.subarray(start, start + histogramCells);
      const own = byAnswer.get(key) ?? new Float64Array(histogramCells);
      byAnswer.set(key, addAll(own, 0, found));
      addAll(sum, histogramsAt, found);
    }
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
    failures: at(counter.failures),
    accepted: at(counter.accepted),
    answers: readAnswers(slots.map(({ values }) => values)),
    histograms: readHistograms(sum, histogramsAt),
    observed: [...byAnswer]
      .sort(([a], [b]) => a - b)
      .map(([key, values]) => ({ ...answerOf(key), histograms: readHistograms(values, 0) })),
  };
}

/** Adds values to those from a place on. */
function addAll(sum: Float64Array, from: number, values: Float64Array): Float64Array {
  for (let at = 0; at < values.length; at += 1) sum[from + at] = (sum[from + at] ?? 0) + (values[at] ?? 0);
  return sum;
}

/** Of what nobody has asked for yet, which most of many routes are. */
const idle = sumCounters([]);
