import { answerCells, answersAt } from "./answers.ts";

/** How many observations lay at or below each bound, one more for those above all of them, and their sum. */
export interface HistogramValues {
  readonly bounds: readonly number[];
  /** Not cumulative. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/** The bounds of ingress-nginx (`internal/ingress/metric/collectors/socket.go`): seconds, and bytes. */
const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const lengths = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100];
const sizes = [10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000];

export interface Histogram {
  /** Where it lies in a slot: a count for each bound, one for what is above, and the sum. */
  readonly at: number;
  readonly bounds: readonly number[];
}

const list = {
  /** From a request's head to the end of its answer. */
  requestSeconds: seconds,
  /** From when it was sent to the endpoint to the end of the answer. */
  responseSeconds: seconds,
  /** From when it was sent to the head of the answer. */
  headerSeconds: seconds,
  /** Until a new connection to the endpoint stood. */
  connectSeconds: seconds,
  /** Head and body of the request. */
  requestBytes: lengths,
  /** The body of the endpoint's answer. */
  responseBytes: lengths,
  /** The body that the client got. */
  sentBytes: sizes,
} as const;

type Name = keyof typeof list;
export type Histograms = Readonly<Record<Name, HistogramValues>>;

/** Where the histograms of a slot begin: behind its answers. A block of an answer's own holds the same ones. */
export const histogramsAt = answersAt + answerCells;

let next = histogramsAt;
const placed = Object.entries(list).map(([name, bounds]): [string, Histogram] => {
  const at = next;
  next += bounds.length + 2;
  return [name, { at, bounds }];
});

export const histogram = Object.fromEntries(placed) as Readonly<Record<Name, Histogram>>;
export const histogramCells = next - histogramsAt;

/** Counts one value in a slot's memory. */
export function observe(page: Float64Array, offset: number, { at, bounds }: Histogram, value: number): void {
  let bucket = 0;
  while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
  const first = offset + at;
  page[first + bucket] = (page[first + bucket] ?? 0) + 1;
  const sum = first + bounds.length + 1;
  page[sum] = (page[sum] ?? 0) + value;
}

/** Reads what begins at a place of a slot, of a block, or of the sum of several. */
export function readHistograms(values: Float64Array, from: number): Histograms {
  const read = ([name, { at, bounds }]: [string, Histogram]): [string, HistogramValues] => {
    const first = from + at - histogramsAt;
    const sumAt = first + bounds.length + 1;
    return [name, { bounds, counts: Array.from(values.subarray(first, sumAt)), sum: values[sumAt] ?? 0 }];
  };
  return Object.fromEntries(placed.map(read)) as Histograms;
}
