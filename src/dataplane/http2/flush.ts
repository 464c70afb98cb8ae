/** Something that has bytes to send at the end of the loop's turn. */
export interface Flushable {
  flush(): void;
  /** Told of a defect in `flush`. */
  fault(error: unknown): void;
}

let waiting: Flushable[] = [];

/**
 * Calls `flush` when all events of this turn of the loop have been handled, so that what many streams have to say leaves
 * in one write. The caller asks once until it is called.
 */
export function flushSoon(item: Flushable): void {
  waiting.push(item);
  if (waiting.length === 1) setImmediate(flushAll);
}

function flushAll(): void {
  const items = waiting;
  waiting = [];
  for (const item of items) {
    try {
      item.flush();
    } catch (error) {
      item.fault(error);
    }
  }
}
