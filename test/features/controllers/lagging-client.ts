import type { Client, WatchSink } from "#client/contract.ts";

/** A client whose watches tell late, each kind at its own pace, in order; a write is always ahead of what is read. */
export function laggingClient(client: Client, random: () => number): Client & { delivered(): boolean } {
  let undelivered = 0;
  return {
    ...client,
    delivered: () => undelivered === 0,
    watch(kind, scope, sink) {
      const queue: (() => void)[] = [];
      const pump = () => {
        const count = Math.ceil(random() * queue.length);
        for (const deliver of queue.splice(0, count)) {
          undelivered -= 1;
          deliver();
        }
        if (queue.length > 0) setImmediate(pump);
      };
      const late: WatchSink<never> = {
        ...sink,
        event(event) {
          queue.push(() => sink.event(event));
          undelivered += 1;
          if (queue.length === 1) setImmediate(pump);
        },
      };
      return client.watch(kind, scope, late);
    },
  };
}
