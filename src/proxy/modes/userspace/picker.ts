import type { Clock } from "#base/clock.ts";
import type { Choice, EndpointEntry } from "#routing/l4/table.ts";

/** Which endpoint is next: round robin, or the one a client had before while its affinity lasts. */
export interface Picker {
  set(choice: Choice, affinitySeconds: number): void;
  /** An endpoint for a client; `undefined` when there is none. Never gives one of `tried` while there are others. */
  pick(client: string, tried: ReadonlySet<EndpointEntry>): EndpointEntry | undefined;
  has(endpoint: EndpointEntry): boolean;
}

/** The clients whose endpoint is remembered; beyond that the one not seen for longest is forgotten. */
const clientLimit = 65_536;

export function createPicker(clock: Clock): Picker {
  let endpoints: readonly EndpointEntry[] = [];
  let affinityMs = 0;
  let turn = 0;
  const clients = new Map<string, { endpoint: EndpointEntry; until: number }>();
  const same = (a: EndpointEntry, b: EndpointEntry) => a.address === b.address && a.port === b.port;

  return {
    set(choice, affinitySeconds) {
      endpoints = typeof choice === "string" ? [] : choice.endpoints;
      affinityMs = affinitySeconds * 1000;
      for (const [client, { endpoint, until }] of clients) {
        const current = endpoints.find((other) => same(other, endpoint));
        if (current === undefined || affinityMs === 0) clients.delete(client);
        else clients.set(client, { endpoint: current, until });
      }
    },
    pick(client, tried) {
      const known = clients.get(client);
      const now = clock.monotonic();
      let picked = known !== undefined && known.until > now && !tried.has(known.endpoint) ? known.endpoint : undefined;
      for (let step = 0; picked === undefined && step < endpoints.length; step += 1) {
        const next = endpoints[turn % endpoints.length];
        turn = (turn + 1) % endpoints.length;
        if (next !== undefined && !tried.has(next)) picked = next;
      }
      if (affinityMs === 0 || picked === undefined) return picked;
      // The least recently seen client stands first in the map.
      clients.delete(client);
      clients.set(client, { endpoint: picked, until: now + affinityMs });
      if (clients.size > clientLimit) for (const [oldest] of clients) if (clients.delete(oldest)) break;
      return picked;
    },
    has: (endpoint) => endpoints.some((other) => same(other, endpoint)),
  };
}
