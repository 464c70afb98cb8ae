/** Requests that are over, of one method and status. */
export interface AnswerCount {
  /** A method of HTTP that is known, or `OTHER`. */
  readonly method: string;
  readonly status: number;
  readonly requests: number;
}

/** Where the answers of a slot begin: behind its numbers. */
export const answersAt = 15;
/** Different answers a slot tells apart; the rest is counted as `OTHER` with status 0. */
const places = 24;
/** A key, a count and a number each, and one count for the rest. */
export const answerCells = places * 3 + 1;
/** Behind its key and its count stands the number of an answer's block of histograms, 0 for none. */
export const blockAt = 2;

const methods = ["OTHER", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const numbers = new Map(methods.map((method, number) => [method, number]));

/**
 * Counts an answer in a slot's memory. A client can invent as many methods as it likes, and an endpoint statuses: what
 * is kept is fixed in size. Returns where its key stands, 0 when it is one of the rest.
 */
export function countAnswer(page: Float64Array, offset: number, method: string, status: number): number {
  const key = 1 + status * methods.length + (method === "GET" ? 1 : (numbers.get(method) ?? 0));
  const first = offset + answersAt;
  for (let step = 0; step < places; step += 1) {
    const at = first + 3 * ((key + step) % places);
    if (page[at] === 0) page[at] = key;
    if (page[at] !== key) continue;
    page[at + 1] = (page[at + 1] ?? 0) + 1;
    return at;
  }
  const rest = first + 3 * places;
  page[rest] = (page[rest] ?? 0) + 1;
  return 0;
}

/** What a slot holds of one answer; `block` as in its cell. */
interface HeldAnswer {
  readonly key: number;
  readonly requests: number;
  readonly block: number;
}

/** The answers in a slot's memory; those of the rest have the key 1. */
export function heldAnswers(values: Float64Array): HeldAnswer[] {
  const held: HeldAnswer[] = [];
  for (let at = answersAt; at < answersAt + 3 * places; at += 3) {
    const key = values[at] ?? 0;
    if (key !== 0) held.push({ key, requests: values[at + 1] ?? 0, block: values[at + blockAt] ?? 0 });
  }
  const rest = values[answersAt + 3 * places] ?? 0;
  if (rest > 0) held.push({ key: restKey, requests: rest, block: 0 });
  return held;
}

/** `OTHER` with status 0. */
export const restKey = 1;

export function answerOf(key: number): Pick<AnswerCount, "method" | "status"> {
  return {
    method: methods[(key - 1) % methods.length] ?? "OTHER",
    status: Math.floor((key - 1) / methods.length),
  };
}

/** Sums what several workers counted in a slot, in order of method and status. */
export function readAnswers(slots: readonly Float64Array[]): AnswerCount[] {
  const counts = new Map<number, number>();
  for (const { key, requests } of slots.flatMap(heldAnswers)) counts.set(key, (counts.get(key) ?? 0) + requests);
  return [...counts].sort(([a], [b]) => a - b).map(([key, requests]) => ({ ...answerOf(key), requests }));
}
