import type { Log } from "#base/log.ts";
import type { Problem, Source } from "#routing/because.ts";
import type { ServiceDiff, ServicePortEntry } from "#routing/l4/table.ts";
import { RefusedError } from "../mode.ts";
import type { ElementLedger, LedgerElement } from "./ledger.ts";

/** What each service port claims in a ledger, kept up to date by differences. */
export interface ServiceClaims {
  /** Claims what the difference asks for. Answers the service ports of it that are there now. */
  update(diff: ServiceDiff): readonly ServicePortEntry[];
  /**
   * A change that was refused for an element of one service port of it: that port is as it was before, and the answer an
   * error that names it. Any other error is answered as it is.
   */
  refusal(diff: ServiceDiff, error: unknown, at: Omit<LedgerElement, "value"> | undefined): unknown;
  /** Service ports that could not be rendered, and those that lost an address to an older one. */
  problems(): readonly Problem[];
}

/** `render` throws when an entry cannot be served; that one is left out, and all others are served. */
export function createClaims<Place extends string>(
  ledger: ElementLedger<Place>,
  render: (entry: ServicePortEntry) => readonly LedgerElement<Place>[],
  log: Log,
): ServiceClaims {
  /** By service port: its name in the ledger, where the older Service comes first. */
  const owners = new Map<string, string>();
  const unserved = new Map<string, Problem>();

  function tryRender(entry: ServicePortEntry): readonly LedgerElement<Place>[] | undefined {
    unserved.delete(entry.id);
    try {
      return render(entry);
    } catch (error) {
      const message = `service port ${entry.id} is not served: ${String(error)}; correct the Service or its slices`;
      unserved.set(entry.id, { at: serviceOf(entry.id), code: "cannot-serve", message });
      log.warn({ service: entry.id, error: String(error) }, "a service port cannot be served");
      release(entry.id);
      return undefined;
    }
  }

  function release(id: string): void {
    const owner = owners.get(id);
    if (owner === undefined) return;
    ledger.claim(owner, []);
    owners.delete(id);
  }

  function claim(entry: ServicePortEntry): void {
    const elements = tryRender(entry);
    if (elements === undefined) return;
    const owner = `${entry.created ?? ""} ${entry.id}`;
    if (owners.get(entry.id) !== owner) release(entry.id);
    owners.set(entry.id, owner);
    ledger.claim(owner, elements);
  }

  return {
    update(diff) {
      for (const { id } of diff.removed) {
        unserved.delete(id);
        release(id);
      }
      const present = [...diff.added, ...diff.changed.map(({ after }) => after)];
      for (const entry of present) claim(entry);
      return present;
    },
    refusal(diff, error, at) {
      const owner = at === undefined ? undefined : ledger.ownerOf(at.set as Place, at.key);
      const id = [...owners].find(([, name]) => name === owner)?.[0];
      const change = diff.changed.find(({ after }) => after.id === id);
      if (id === undefined || (change === undefined && !diff.added.some((entry) => entry.id === id))) return error;
      if (change === undefined) release(id);
      else claim(change.before);
      return new RefusedError(id, error);
    },
    problems: () => [
      ...unserved.values(),
      ...ledger.contested().flatMap(({ front, winner, losers }) =>
        losers.map((loser) => {
          const [id, other] = [loser, winner].map((owner) => owner.slice(owner.indexOf(" ") + 1));
          const message = `service port ${id}: ${front} is taken by the older ${other}; give one of them another address or port`;
          return { at: serviceOf(id ?? ""), code: "address-taken", message };
        }),
      ),
    ],
  };
}

/** The Service of a service port's id. */
function serviceOf(id: string): Source {
  const [, namespace = "", name = ""] = /^([^/]*)\/([^:]*):/.exec(id) ?? [];
  return { kind: "Service", namespace, name };
}
