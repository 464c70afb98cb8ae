import { rfc3339, type Clock } from "#base/clock.ts";
import type { Log } from "#base/log.ts";
import { createWorkqueue } from "#base/workqueue.ts";
import { isApiError } from "#api/meta/status.ts";
import type { ConfigMap } from "#api/core/configmap/kind.ts";
import type { Ingress } from "#api/networking/ingress/kind.ts";
import type { Client } from "#client/contract.ts";
import type { Problem, Source } from "#routing/because.ts";

/** Tells the owner of an Ingress, or of a ConfigMap of ours, about its problems by Events: once for each, again only when
 * it came back. */
export interface EventWriter {
  /** All problems there are now. */
  report(problems: readonly Problem[], objectOf: (at: Source) => Ingress | ConfigMap | undefined): void;
  stop(): Promise<void>;
}

interface Told {
  readonly object: Ingress | ConfigMap;
  readonly problem: Problem;
  readonly since: number;
  /** The Event's name once it is written. */
  name?: string;
  count: number;
  isThere: boolean;
}

const component = "fairlead-ingress";
/** What an Event's message may hold at most, as the API server limits it. */
const messageLimit = 1024;

export function createEventWriter({ client, log, clock }: { client: Client; log: Log; clock: Clock }): EventWriter {
  const told = new Map<string, Told>();

  async function write(key: string): Promise<void> {
    const entry = told.get(key);
    if (entry === undefined) return;
    const { object, problem, since } = entry;
    const namespace = object.metadata.namespace ?? "default";
    const lastTimestamp = rfc3339(clock.now());
    if (entry.name !== undefined) {
      await client.patch("Event", { namespace, name: entry.name }, { count: entry.count, lastTimestamp });
      return;
    }
    const { name, uid, resourceVersion } = object.metadata;
    const created = await client.create("Event", {
      metadata: { namespace, generateName: `${name}.` },
      involvedObject: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        namespace,
        name,
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
      type: "Warning",
      reason: reasonOf(problem.code),
      message: problem.message.slice(0, messageLimit),
      source: { component },
      reportingComponent: component,
      reportingInstance: component,
      firstTimestamp: rfc3339(since),
      lastTimestamp,
      count: entry.count,
    });
    entry.name = created.metadata.name;
  }

  const queue = createWorkqueue({
    clock,
    async work(key) {
      try {
        await write(key);
      } catch (error) {
        // An Event is a courtesy: what the API refuses is logged and left.
        if (!isApiError(error)) throw error;
        log.warn({ error: error.message }, "an Event was refused");
      }
    },
    failed: (_key, error, retryInMs) => log.warn({ error: String(error), retryInMs }, "writing an Event failed"),
  });

  return {
    report(problems, objectOf) {
      const now = new Set<string>();
      for (const problem of problems) {
        const { namespace, name, kind, field = "" } = problem.at;
        const object = objectOf(problem.at);
        if (object === undefined) continue;
        const key = [object.metadata.uid ?? "", namespace, name, field, problem.code, problem.message].join(" ");
        now.add(key);
        const before = told.get(key);
        if (before?.isThere === true) continue;
        if (before === undefined) told.set(key, { object, problem, since: clock.now(), count: 1, isThere: true });
        else {
          before.isThere = true;
          before.count += 1;
        }
        log.warn({ [kind.toLowerCase()]: `${namespace}/${name}`, field, code: problem.code }, problem.message);
        queue.add(key);
      }
      for (const [key, entry] of told) {
        if (now.has(key)) continue;
        entry.isThere = false;
        if (objectOf(entry.problem.at)?.metadata.uid !== entry.object.metadata.uid) told.delete(key);
      }
    },
    stop: () => queue.stop(),
  };
}

/** `service-not-found` -> `ServiceNotFound`. */
function reasonOf(code: string): string {
  return code.replace(/(^|-)([a-z])/g, (_match, _dash, letter: string) => letter.toUpperCase());
}
