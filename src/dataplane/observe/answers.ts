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
/** A key and a count each, and one count for the rest. */
export const answerCells = places * 2 + 1;

const methods = ["OTHER", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const numbers = new Map(methods.map((method, number) => [method, number]));

/**
 * Counts an answer in a slot's memory. A client can invent as many methods as it likes, and an endpoint statuses: what
 * is kept is fixed in size.
 */
export function countAnswer(page: Float64Array, offset: number, method: string, status: number): void {
  const key = 1 + status * methods.length + (method === "GET" ? 1 : (numbers.get(method) ?? 0));
  const first = offset + answersAt;
  for (let step = 0; step < places; step += 1) {
    const at = first + 2 * ((key + step) % places);
    if (page[at] === 0) page[at] = key;
    if (page[at] !== key) continue;
    page[at + 1] = (page[at + 1] ?? 0) + 1;
    return;
  }
  const rest = first + 2 * places;
  page[rest] = (page[rest] ?? 0) + 1;
}

/** Sums what several workers counted in a slot, in order of method and status. */
export function readAnswers(slots: readonly Float64Array[]): AnswerCount[] {
  const counts = new Map<number, number>();
  for (const values of slots) {
    for (let at = answersAt; at < answersAt + 2 * places; at += 2) {
      const key = values[at] ?? 0;
      if (key !== 0) counts.set(key, (counts.get(key) ?? 0) + (values[at + 1] ?? 0));
    }
    const rest = values[answersAt + 2 * places] ?? 0;
    if (rest > 0) counts.set(1, (counts.get(1) ?? 0) + rest);
  }
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([key, requests]) => ({
      method: methods[(key - 1) % methods.length] ?? "OTHER",
      status: Math.floor((key - 1) / methods.length),
      requests,
    }));
}
